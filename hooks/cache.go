package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/cache"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// cacheDir is where built modules are kept. For another tree than the
// machine's own it is inside that tree.
const cacheDir = "/var/cache/dkms-hook/modules"

// modules is the store of built modules. Where module_cache says no it may hold
// what was kept before.
func (r *run) modules() *cache.Store {
	dir := cacheDir
	if r.machine.Tree.Dir != conf.DefaultTree {
		dir = r.machine.Tree.CacheDir()
	}
	return cache.New(dir, r.machine.Framework.ModuleCache)
}

// usableModules is the store for builds; nil where they go without.
func (r *run) usableModules() *cache.Store {
	if r.machine.Framework.ModuleCache == 0 {
		return nil
	}
	store := r.modules()
	if err := store.Usable(); err != nil {
		r.console.WarnOf(err)
		return nil
	}
	return store
}

// cache shows what built modules are kept, or removes them.
func (r *run) cache() error {
	verb, rest := "list", []string(nil)
	if words := r.call.Operands; len(words) > 0 {
		verb, rest = words[0], words[1:]
	}
	switch {
	case verb == "list" && len(rest) == 0:
		return r.listCache()
	case verb == "list":
		return cacheUsage("cache list", "takes no operand: "+rest[0])
	case verb == "prune" && len(rest) == 0:
		return r.pruneCache(0)
	case verb == "prune" && len(rest) == 1:
		size, err := conf.ParseSize(rest[0])
		if err != nil {
			return cacheUsage("cache prune", rest[0]+" "+err.Error())
		}
		return r.pruneCache(size)
	case verb == "prune":
		return cacheUsage("cache prune", "takes one size: what is "+rest[1]+"?")
	}
	return cacheUsage("cache "+verb, "is nothing that it can do")
}

func cacheUsage(object, problem string) error {
	return &dkms.Error{Kind: dkms.Usage, Object: object, Problem: problem, Hint: "cache list, or cache prune [SIZE]"}
}

// kept is an entry as `cache list --json` and `cache prune --json` print it.
type kept struct {
	Ref     string    `json:"ref"`
	Key     string    `json:"key"`
	Size    int64     `json:"size"` // in bytes
	Made    time.Time `json:"made,omitzero"`
	Used    time.Time `json:"used"`
	Damaged string    `json:"damaged,omitempty"` // why it cannot be taken
}

func (r *run) listCache() error {
	all, err := r.modules().List()
	if err != nil {
		return err
	}
	if r.call.JSON {
		return r.printKept(all)
	}
	for _, e := range all {
		fmt.Fprintf(r.result, "%s  %8s  %s\n", e.Used.Format(time.DateOnly), inWords(e.Size()), about(e))
	}
	return nil
}

func (r *run) pruneCache(size int64) error {
	gone, err := r.modules().Prune(size)
	if r.call.JSON {
		return errors.Join(err, r.printKept(gone))
	}
	for _, e := range gone {
		fmt.Fprintf(r.result, "removed %s, %s\n", about(e), inWords(e.Size()))
	}
	return err
}

// printKept prints entries as JSON.
func (r *run) printKept(entries []cache.Entry) error {
	lines := []kept{}
	for _, e := range entries {
		lines = append(lines, kept{e.About, e.Key, e.Size(), e.Made, e.Used.UTC(), e.Damaged})
	}
	out := json.NewEncoder(r.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(lines)
}

// about is what people read of an entry.
func about(e cache.Entry) string {
	if e.Damaged != "" {
		return fmt.Sprintf("%s (damaged: %s)", e.Key, e.Damaged)
	}
	return e.About
}

// inWords is a number of bytes as people read it.
func inWords(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
