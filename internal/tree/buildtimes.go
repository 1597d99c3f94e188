package tree

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

const buildTimesSchema = 1

// Bounds of what is kept, with room for packages that have gone.
const (
	maxBuildTimes     = 1024
	maxBuildTimesFile = 1 << 20        // bytes
	maxBuildTime      = 24 * time.Hour // what is longer was never measured
)

// BuildTimes are how long each package took to build when it was built last, for
// whatever kernel: TREE/.dkms-hook/build-times.json. They outlive kernels and
// versions, since they are asked for new ones. It is a cache: what is lost costs
// time only. It may be used by several goroutines.
type BuildTimes struct {
	tree Tree

	mu      sync.Mutex
	loaded  bool
	changed bool
	known   map[string]buildTime // by NAME/VER
}

type buildTime struct {
	Seconds float64   `json:"seconds"` // of processor time
	At      time.Time `json:"at"`
}

// buildTimesFile is BuildTimes on disk.
type buildTimesFile struct {
	Schema   int                  `json:"schema"`
	Packages map[string]buildTime `json:"packages"`
}

// BuildTimes returns those of this tree, which are read when first asked for.
func (t Tree) BuildTimes() *BuildTimes { return &BuildTimes{tree: t} }

// Of returns how long p took, or else the version of that name that was built
// last; ok is false where nothing is known.
func (b *BuildTimes) Of(p dkms.Package) (took time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.load()
	if known, ok := b.known[p.String()]; ok {
		return known.duration(), true
	}
	for _, key := range slices.Backward(b.byAge()) {
		if strings.HasPrefix(key, p.Name+"/") {
			return b.known[key].duration(), true
		}
	}
	return 0, false
}

// Keep remembers that p was built just now and took so long, until Save in this
// process only.
func (b *BuildTimes) Keep(p dkms.Package, took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.load()
	if t := (buildTime{took.Seconds(), time.Now().UTC()}); t.possible() {
		b.known[p.String()], b.changed = t, true
	}
}

// Save writes what has changed, if anything has. It is called under the lock.
// Of too many, the oldest go.
func (b *BuildTimes) Save() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.changed {
		return nil
	}
	for _, key := range b.byAge()[:max(0, len(b.known)-maxBuildTimes)] {
		delete(b.known, key)
	}
	if err := b.save(); err != nil {
		return problem(b.tree.buildTimesPath(), "cannot be written", err)
	}
	b.changed = false
	return nil
}

func (b *BuildTimes) save() error {
	if err := b.tree.at("build times"); err != nil {
		return err
	}
	data, err := json.MarshalIndent(buildTimesFile{buildTimesSchema, b.known}, "", "\t")
	if err != nil {
		return err
	}
	return writeMark(b.tree.buildTimesPath(), string(data)+"\n")
}

// load reads the file, once. A damaged, foreign or huge one is an empty one, and
// so is each entry that cannot be.
func (b *BuildTimes) load() {
	if b.loaded {
		return
	}
	b.loaded, b.known = true, map[string]buildTime{}
	var f buildTimesFile
	if !recall(b.tree.buildTimesPath(), maxBuildTimesFile, &f) || f.Schema != buildTimesSchema {
		return
	}
	for key, t := range f.Packages {
		if t.possible() {
			b.known[key] = t
		}
	}
}

// byAge returns the keys, the oldest first.
func (b *BuildTimes) byAge() []string {
	keys := make([]string, 0, len(b.known))
	for key := range b.known {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(x, y string) int {
		return cmp.Or(b.known[x].At.Compare(b.known[y].At), strings.Compare(x, y))
	})
	return keys
}

func (t buildTime) possible() bool { return t.Seconds > 0 && t.Seconds <= maxBuildTime.Seconds() }

func (t buildTime) duration() time.Duration { return time.Duration(t.Seconds * float64(time.Second)) }
