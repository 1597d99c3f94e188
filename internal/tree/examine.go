package tree

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Finding is something in the three directories that is not as it should be.
type Finding struct {
	Path    string // what it is about
	Problem string // what is wrong, for an administrator
	Remedy  string // what to do: Fix does it if the finding is Safe, else a person has to
	// Safe tells that Fix loses nothing that anybody could want back.
	Safe bool
	fix  func() (did string, err error)
}

// Fix does what Remedy says and tells what that was; did is empty when there
// was nothing left to do. It is called under the lock. A release may need
// depmod(8) after it: the next Sweep names it. A Finding that is not Safe is an
// error, whose hint is Remedy.
func (f Finding) Fix() (did string, err error) {
	if !f.Safe || f.fix == nil {
		return "", &dkms.Error{Object: f.Path, Problem: f.Problem, Hint: f.Remedy}
	}
	if did, err = f.fix(); err != nil {
		return "", problem(f.Path, "cannot be mended", err)
	}
	return did, nil
}

// Examine looks for everything in the tree, among the sources and in the
// kernels' directories that is not as it should be, and changes nothing. The
// findings are sorted by path, and each stands for itself: to mend one may mend
// another, or bring a new one to light. It takes no lock; a run that is under
// way shows as an interrupted one. What Scan reports as an error is one here.
func (t Tree) Examine(ctx context.Context) ([]Finding, error) {
	snapshot, err := t.Scan(ctx)
	if err != nil {
		return nil, err
	}
	x := examiner{tree: t, snapshot: snapshot, kernels: map[string]bool{}, modules: map[string]bool{}, explained: map[string]bool{}}
	releases, _ := os.ReadDir(t.InstallDir)
	for _, e := range releases {
		if t.isDir(t.InstallDir, e) {
			x.kernels[e.Name()] = true
		}
	}
	for _, look := range []func(){x.interrupted, x.keys, x.names, x.packages, x.sources, x.releases, x.others} {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		look()
	}
	slices.SortStableFunc(x.findings, func(a, b Finding) int { return cmp.Compare(a.Path, b.Path) })
	return x.findings, nil
}

// examiner collects findings.
type examiner struct {
	tree     Tree
	snapshot Snapshot
	kernels  map[string]bool // releases that have a directory
	modules  map[string]bool // names, with "_", of all that is built
	// explained are paths that a finding about another path covers.
	explained map[string]bool
	findings  []Finding
}

// person adds a finding that a person has to see to.
func (x *examiner) person(path, problem, remedy string) {
	x.findings = append(x.findings, Finding{Path: path, Problem: problem, Remedy: remedy})
}

// safe adds a finding that fix mends; done is what Fix then says.
func (x *examiner) safe(path, problem, remedy, done string, fix func() error) {
	x.findings = append(x.findings, Finding{Path: path, Problem: problem, Remedy: remedy, Safe: true, fix: func() (string, error) {
		if !system.Exists(path) {
			return "", nil
		}
		if err := fix(); err != nil {
			return "", err
		}
		return done, nil
	}})
}

// junk adds a finding that is mended by removing path, and parents below stop
// that it leaves empty.
func (x *examiner) junk(path, problem, stop string) {
	x.safe(path, problem, "remove it", "was removed", func() error {
		if err := x.tree.discard(path); err != nil {
			return err
		}
		system.PruneEmpty(filepath.Dir(path), stop)
		return nil
	})
}

// lacksKernel reports whether release has no directory. Where no kernel has
// one, the whole of them is missing (not mounted, for one), which says nothing.
func (x *examiner) lacksKernel(release string) bool {
	return len(x.kernels) > 0 && !x.kernels[release]
}

// interrupted finds what Sweep would clear away.
func (x *examiner) interrupted() {
	t := x.tree
	swept := func(path, problem, remedy, done string) {
		x.safe(path, problem, remedy, done, func() error {
			_, err := t.Sweep(context.Background())
			return err
		})
	}
	for _, path := range glob(t.journalDir(), "*.json") {
		tx, err := t.readJournal(path)
		switch {
		case err != nil:
			x.person(path, "tells of an unfinished change, and cannot be understood: "+cause(err).Error(),
				"see that the modules it names are as they should be, then remove it")
		case tx.log.Done:
			swept(path, "an "+tx.log.Verb+" of "+tx.log.Ref.String()+" was interrupted at its end", "finish it", "was finished")
		default:
			swept(path, "an "+tx.log.Verb+" of "+tx.log.Ref.String()+" was interrupted", "take it back", "was taken back")
		}
	}
	left := append(glob(t.Dir, "*", "*", scratchDir), glob(t.SourceDir, ".*"+newSuffix)...)
	left = append(left, glob(t.own(scratchDir), "*")...)
	for _, path := range append(left, glob(t.trashDir(), "*")...) {
		swept(path, "was left by an interrupted run", "remove it", "was removed")
	}
	for _, path := range glob(t.SourceDir, ".*"+oldSuffix) {
		swept(path, "is a source that an interrupted run had set aside", "put it back unless there is a newer one", "was put back, or removed for a newer one")
	}
	for _, path := range glob(t.depmodDir(), "*") {
		release := filepath.Base(path)
		if x.lacksKernel(release) {
			x.safe(path, "modules.dep of "+release+" is to be made anew, but there is no such kernel", "forget it", "was forgotten",
				func() error { return t.DepmodDone(release) })
			continue
		}
		x.person(path, "modules.dep of "+release+" is older than the modules", "depmod "+release+", or any dkms-hook command that changes something")
	}
}

// keys finds a half of the key pair that modules are signed with. Keys are
// never touched: they may be enrolled in this machine's firmware.
func (x *examiner) keys() {
	key, cert := filepath.Join(x.tree.Dir, "mok.key"), filepath.Join(x.tree.Dir, "mok.pub")
	switch hasKey, hasCert := system.Exists(key), system.Exists(cert); {
	case hasKey && !hasCert:
		x.person(key, "its certificate, mok.pub, is missing: modules cannot be signed",
			"put mok.pub back, or move mok.key away to have a new pair made, which is to be enrolled (mokutil --import)")
	case hasCert && !hasKey:
		x.person(cert, "its private key, mok.key, is missing: modules cannot be signed",
			"put mok.key back, or move mok.pub away to have a new pair made, which is to be enrolled (mokutil --import)")
	}
}

// others adds what Scan could not make sense of and nothing above explains.
func (x *examiner) others() {
	for _, p := range x.snapshot.Problems {
		told := func(f Finding) bool { return f.Path == p.Path || below(f.Path, p.Path) }
		if x.explained[p.Path] || slices.ContainsFunc(x.findings, told) {
			continue
		}
		text := p.Text
		if p.Err != nil {
			text += ": " + cause(p.Err).Error()
		}
		x.person(p.Path, text, "see what it is; it is passed over until then")
	}
}

// glob is filepath.Glob below a directory whose own name is no pattern.
func glob(dir string, patterns ...string) []string {
	paths := []string{dir}
	for _, pattern := range patterns {
		var next []string
		for _, parent := range paths {
			entries, _ := os.ReadDir(parent)
			for _, e := range entries {
				hidden := strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(pattern, ".")
				if ok, _ := filepath.Match(pattern, e.Name()); ok && !hidden {
					next = append(next, filepath.Join(parent, e.Name()))
				}
			}
		}
		paths = next
	}
	return paths
}

// newer reports whether err is about a record of a schema that only a newer
// program knows, which is not to be thrown away.
func newer(err error) bool {
	var s *schemaError
	return errors.As(err, &s) && s.schema > s.known
}

// isEmpty reports whether a directory holds nothing, or only empty directories.
func isEmpty(dir string) bool {
	return filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return fs.ErrExist
	}) == nil
}
