//go:build e2e

package apt

import (
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// A run is what the program noted down about one of its runs.
type run struct {
	path     string
	Schema   int       `json:"schema"`
	Event    string    `json:"event"`
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended"`
	Outcomes []outcome `json:"outcomes"`
}

// An outcome is what became of one package for one kernel.
type outcome struct {
	Package string `json:"package"`
	Version string `json:"version"`
	Release string `json:"release"`
	Arch    string `json:"arch"`
	Did     string `json:"did"`
}

func (o outcome) target() string { return o.Package + "/" + o.Version + " for " + o.Release }

// runs returns what was noted down since the given number of runs, oldest first.
func (m machine) runs(since int) []run {
	m.TB.Helper()
	var out []run
	paths := m.Glob("/var/lib/dkms/.dkms-hook/runs/*.json")
	slices.Sort(paths)
	for _, path := range paths[min(since, len(paths)):] {
		r := run{path: path}
		if err := json.Unmarshal(m.Read(path), &r); err != nil {
			m.TB.Fatalf("%s: %v", path, err)
		}
		if r.Schema != 1 || r.Event == "" || r.Began.IsZero() || r.Ended.Before(r.Began) {
			m.TB.Errorf("%s: schema %d, event %q, from %v to %v", path, r.Schema, r.Event, r.Began, r.Ended)
		}
		out = append(out, r)
	}
	return out
}

// did counts the outcomes of a kind: target to how often.
func did(runs []run, what string) map[string]int {
	count := map[string]int{}
	for _, r := range runs {
		for _, o := range r.Outcomes {
			if o.Did == what {
				count[o.target()]++
			}
		}
	}
	return count
}

// checkFails fails the test if the program says that all is as it should be.
func (m machine) checkFails() {
	m.TB.Helper()
	if r := m.Run("dkms-hook", "check"); r.Status == 0 {
		m.TB.Errorf("check: exit status 0; want another\n%s", r)
	}
}

// treeOf returns what the tree has of a package, a version or a kernel, dot-files
// too.
func (m machine) treeOf(word string) (paths []string) {
	m.TB.Helper()
	m.Walk("/var/lib/dkms", func(path string, d fs.DirEntry) error {
		switch name := d.Name(); {
		case path == "/var/lib/dkms/.dkms-hook":
			return fs.SkipDir
		case name == word, strings.HasPrefix(name, "kernel-"+word+"-"):
			paths = append(paths, path)
		}
		return nil
	})
	return paths
}
