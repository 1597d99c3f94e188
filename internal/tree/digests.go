package tree

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

const digestsSchema = 1

// Bounds of what is kept: some hundred packages and kernels, of which each has
// a few keys, with room for those that have gone.
const (
	maxDigests     = 4096
	maxDigestsFile = 4 << 20 // bytes
)

// Digests are digests of files and directories that were read once, each with
// the stamp of the state it was taken from, so that what has not changed need
// not be read again: TREE/.dkms-hook/digests.json. It is a cache: what is lost
// costs time only. It may be used by several goroutines.
type Digests struct {
	tree Tree

	mu      sync.Mutex
	loaded  bool
	changed bool
	known   map[string]digest
	asked   map[string]bool // keys of this run
}

type digest struct {
	Stamp  string `json:"stamp"`
	Digest string `json:"digest"`
}

// digestsFile is Digests on disk.
type digestsFile struct {
	Schema  int               `json:"schema"`
	Digests map[string]digest `json:"digests"`
}

// Digests returns the store of this tree, which is read when it is first asked.
func (t Tree) Digests() *Digests { return &Digests{tree: t} }

// Digest returns what Keep was given for key, if it was with this stamp.
func (d *Digests) Digest(key, stamp string) (value string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.load()
	d.asked[key] = true
	kept, ok := d.known[key]
	if !ok || kept.Stamp != stamp {
		return "", false
	}
	return kept.Digest, true
}

// Keep remembers the digest of key at stamp, until Save in this process only.
func (d *Digests) Keep(key, stamp, value string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.load()
	d.asked[key] = true
	if fresh := (digest{stamp, value}); d.known[key] != fresh {
		d.known[key], d.changed = fresh, true
	}
}

// Save writes what has changed, if anything has. It is called under the lock.
// Of too many, those that this run did not ask for go first.
func (d *Digests) Save() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.changed {
		return nil
	}
	d.trim()
	if err := d.save(); err != nil {
		return problem(d.tree.digestsPath(), "cannot be written", err)
	}
	d.changed = false
	return nil
}

func (d *Digests) save() error {
	if err := d.tree.at("digests"); err != nil {
		return err
	}
	path := d.tree.digestsPath()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	data, err := json.Marshal(digestsFile{digestsSchema, d.known})
	if err != nil {
		return err
	}
	return system.WriteFile(path, append(data, '\n'), 0o644)
}

func (d *Digests) trim() {
	over := len(d.known) - maxDigests
	if over <= 0 {
		return
	}
	keys := slices.SortedFunc(maps.Keys(d.known), func(a, b string) int {
		switch {
		case d.asked[a] == d.asked[b]:
			return 0
		case d.asked[a]:
			return 1
		}
		return -1
	})
	for _, key := range keys[:over] {
		delete(d.known, key)
	}
}

// load reads the file, once. A damaged, foreign or huge one is an empty one.
func (d *Digests) load() {
	if d.loaded {
		return
	}
	d.loaded = true
	d.known, d.asked = map[string]digest{}, map[string]bool{}
	var f digestsFile
	if recall(d.tree.digestsPath(), maxDigestsFile, &f) && f.Schema == digestsSchema && f.Digests != nil {
		d.known = f.Digests
	}
}

// recall reads a file that is no worse lost than kept: false for one that is
// missing, damaged, or has more than so many bytes.
func recall(path string, most int64, into any) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > most {
		return false
	}
	data, err := os.ReadFile(path)
	return err == nil && json.Unmarshal(data, into) == nil
}
