package hooks

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/cache"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// cacheDir is where built modules are kept. For another tree than the
// machine's own it is inside that tree.
const cacheDir = "/var/cache/dkms-hook/modules"

// modules is the store of built modules; nil where module_cache says no.
func (r *run) modules() *cache.Store {
	limit := r.machine.Framework.ModuleCache
	if limit == 0 {
		return nil
	}
	dir := cacheDir
	if r.machine.Tree.Dir != conf.DefaultTree {
		dir = r.machine.Tree.CacheDir()
	}
	return cache.New(dir, limit)
}

// cache shows what built modules are kept, or removes them.
func (r *run) cache() error {
	store := r.modules()
	switch words := r.call.Operands; {
	case store == nil:
		return &dkms.Error{Kind: dkms.Usage, Object: "cache", Problem: "there is none: module_cache in framework.conf says no"}
	case len(words) == 0, len(words) == 1 && words[0] == "list":
		return r.listCache(store)
	case len(words) == 1 && words[0] == "prune":
		return r.pruneCache(store, 0)
	case len(words) == 2 && words[0] == "prune":
		size, err := conf.ParseSize(words[1])
		if err != nil {
			return &dkms.Error{Kind: dkms.Usage, Object: "cache prune " + words[1], Problem: err.Error()}
		}
		return r.pruneCache(store, size)
	}
	return &dkms.Error{Kind: dkms.Usage, Object: "cache " + r.call.Operands[0], Problem: "is nothing that it can do", Hint: "cache list, or cache prune [SIZE]"}
}

// kept is one line of `cache list --json`.
type kept struct {
	Ref  string    `json:"ref"`
	Key  string    `json:"key"`
	Size int64     `json:"size"` // in bytes
	Made time.Time `json:"made"`
	Used time.Time `json:"used"`
}

func (r *run) listCache(store *cache.Store) error {
	all, err := store.List()
	if err != nil {
		return err
	}
	if r.call.JSON {
		lines := []kept{}
		for _, e := range all {
			lines = append(lines, kept{e.About, e.Key, e.Size(), e.Made, e.Used.UTC()})
		}
		out := json.NewEncoder(r.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(lines)
	}
	for _, e := range all {
		fmt.Fprintf(r.result, "%s  %8s  %s\n", e.Used.Format(time.DateOnly), inWords(e.Size()), e.About)
	}
	return nil
}

func (r *run) pruneCache(store *cache.Store, size int64) error {
	gone, err := store.Prune(size)
	for _, e := range gone {
		fmt.Fprintf(r.result, "removed %s, %s\n", e.About, inWords(e.Size()))
	}
	return err
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
