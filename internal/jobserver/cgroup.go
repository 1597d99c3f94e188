package jobserver

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A group is the control group that we are in, in one of the hierarchies that
// are mounted.
type group struct {
	mount string // where the hierarchy is mounted
	dir   string // our group's directory, in mount or mount itself
	v2    bool
}

// groups returns our control groups, of version 2 and of the controllers cpu
// and memory of version 1.
func groups(root string) (out []group) {
	paths := groupPaths(root)
	data, err := os.ReadFile(filepath.Join(root, "proc/self/mountinfo"))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(data)) {
		// 35 24 0:30 /docker/1a2b /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
		before, after, _ := strings.Cut(strings.TrimSpace(line), " - ")
		place, kind := strings.Fields(before), strings.Fields(after)
		if len(place) < 5 || len(kind) < 3 {
			continue
		}
		controller := ""
		switch options := strings.Split(kind[2], ","); {
		case kind[0] == "cgroup" && slices.Contains(options, "memory"):
			controller = "memory"
		case kind[0] == "cgroup" && slices.Contains(options, "cpu"):
			controller = "cpu"
		case kind[0] != "cgroup2":
			continue
		}
		path, ours := paths[controller]
		if !ours {
			continue
		}
		mount := filepath.Join(root, place[4])
		out = append(out, group{mount: mount, dir: groupDir(mount, place[3], path), v2: controller == ""})
	}
	return out
}

// groupPaths reads /proc/self/cgroup: our group's path by controller, "" being
// version 2.
func groupPaths(root string) map[string]string {
	data, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return nil
	}
	paths := map[string]string{}
	for line := range strings.Lines(string(data)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(parts[1], ",") {
			paths[controller] = parts[2]
		}
	}
	return paths
}

// groupDir returns the directory of the group path where the hierarchy is
// mounted from its group top down. In a container path may be the host's, and
// lead nowhere: then the container's own is what is mounted.
func groupDir(mount, top, path string) string {
	rel, err := filepath.Rel(top, path)
	if err == nil && filepath.IsLocal(rel) {
		if dir := filepath.Join(mount, rel); isDir(dir) {
			return dir
		}
	}
	return mount
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// dirs are those of the group and of all above it, whose limits hold too.
func (g group) dirs() []string {
	dirs := []string{g.dir}
	for dir := g.dir; dir != g.mount; {
		dir = filepath.Dir(dir)
		dirs = append(dirs, dir)
	}
	return dirs
}

// quota returns how many CPUs dir's group may use, or 0.
func (g group) quota(dir string) float64 {
	var quota, period int64
	var okQ, okP bool
	if g.v2 { // "max 100000", "150000 100000"
		data, err := os.ReadFile(filepath.Join(dir, "cpu.max"))
		words := strings.Fields(string(data))
		if err != nil || len(words) != 2 {
			return 0
		}
		var errQ, errP error
		quota, errQ = strconv.ParseInt(words[0], 10, 64)
		period, errP = strconv.ParseInt(words[1], 10, 64)
		okQ, okP = errQ == nil, errP == nil
	} else {
		quota, okQ = number(filepath.Join(dir, "cpu.cfs_quota_us"))
		period, okP = number(filepath.Join(dir, "cpu.cfs_period_us"))
	}
	if !okQ || !okP || quota <= 0 || period <= 0 {
		return 0
	}
	return float64(quota) / float64(period)
}

// memory returns what the limit of dir's group leaves, or Unknown. Cache that
// the kernel can drop at once does not count as used.
func (g group) memory(dir string) int64 {
	limits, used, cache := []string{"memory.limit_in_bytes"}, "memory.usage_in_bytes", "total_inactive_file"
	if g.v2 {
		limits, used, cache = []string{"memory.max", "memory.high"}, "memory.current", "inactive_file"
	}
	limit := int64(Unknown)
	for _, name := range limits {
		if n, ok := number(filepath.Join(dir, name)); ok {
			limit = min(limit, n)
		}
	}
	// Version 1 says "no limit" with the largest number of pages there is.
	if limit >= 1<<62 {
		return Unknown
	}
	usage, ok := number(filepath.Join(dir, used))
	if !ok {
		return Unknown
	}
	droppable, _ := field(filepath.Join(dir, "memory.stat"), cache)
	return max(0, limit-max(0, usage-droppable))
}
