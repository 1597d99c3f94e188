package tree

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Swept is what Sweep found.
type Swept struct {
	// Notes tell, in words, what was cleared away; normally there are none.
	Notes []string
	// Depmod are the releases whose modules.dep is older than their modules;
	// after running depmod for one, call DepmodDone.
	Depmod []string
}

// Sweep clears away what a run that was killed left: it takes unfinished
// changes back, finishes those that were past taking back, and removes scratch
// directories, trash and half-published builds. It is called under the lock,
// at the start of each run that writes. What cannot be cleared is an error,
// but hinders nothing else.
func (t Tree) Sweep(ctx context.Context) (Swept, error) {
	var s Swept
	errs := t.sweepJournals(&s)
	for _, dir := range []string{t.trashDir(), t.own(scratchDir)} {
		errs = appendErr(errs, clearAway(dir))
	}
	for _, dir := range []string{t.own(), t.runsDir()} {
		errs = append(errs, sweepTemps(dir)...)
	}
	names, err := os.ReadDir(t.Dir)
	if err != nil && !isMissing(err) {
		errs = append(errs, err)
	}
	for _, e := range names {
		if ctx.Err() != nil {
			return s, context.Cause(ctx)
		}
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			errs = append(errs, t.sweepName(&s, e.Name())...)
		}
	}
	errs = append(errs, t.sweepSources(&s)...)
	pending, err := os.ReadDir(t.depmodDir())
	if err != nil && !isMissing(err) {
		errs = append(errs, err)
	}
	for _, e := range pending {
		if strings.HasPrefix(e.Name(), ".") {
			_ = os.Remove(filepath.Join(t.depmodDir(), e.Name()))
			continue
		}
		s.Depmod = append(s.Depmod, e.Name())
	}
	if err := errors.Join(errs...); err != nil {
		return s, problem(t.Dir, "cannot be swept", err)
	}
	return s, nil
}

func (t Tree) sweepJournals(s *Swept) (errs []error) {
	entries, err := os.ReadDir(t.journalDir())
	if err != nil && !isMissing(err) {
		return []error{err}
	}
	for _, e := range entries {
		path := filepath.Join(t.journalDir(), e.Name())
		if strings.HasPrefix(e.Name(), ".") || !strings.HasSuffix(e.Name(), ".json") {
			_ = os.Remove(path) // a journal that was not yet in force
			continue
		}
		tx, err := t.readJournal(path)
		if err != nil {
			errs = append(errs, &dkms.Error{Object: path, Problem: "cannot be understood", Err: err,
				Hint: "it tells of an unfinished change; remove it when the modules it names are as they should be"})
			continue
		}
		end, word := tx.Undo, "taken back"
		if tx.log.Done {
			end, word = tx.finish, "finished"
		}
		if err := end(); err != nil {
			errs = append(errs, err)
			continue
		}
		s.Notes = append(s.Notes, tx.log.Ref.String()+": an interrupted "+tx.log.Verb+" was "+word)
	}
	return errs
}

// sweepSources clears what a killed Load left in SOURCETREE.
func (t Tree) sweepSources(s *Swept) (errs []error) {
	left, _ := filepath.Glob(filepath.Join(t.SourceDir, ".*"+newSuffix))
	for _, path := range left {
		s.Notes = append(s.Notes, path+": remnants of an interrupted loading were removed")
		errs = appendErr(errs, os.RemoveAll(path))
	}
	former, _ := filepath.Glob(filepath.Join(t.SourceDir, ".*"+oldSuffix))
	for _, path := range former {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "."), oldSuffix)
		if place := filepath.Join(t.SourceDir, name); !system.Exists(place) {
			s.Notes = append(s.Notes, place+": was put back after an interrupted loading")
			errs = appendErr(errs, os.Rename(path, place))
			continue
		}
		errs = appendErr(errs, os.RemoveAll(path))
	}
	return errs
}

// sweepName sweeps TREE/NAME.
func (t Tree) sweepName(s *Swept, name string) (errs []error) {
	dir := filepath.Join(t.Dir, name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // Scan reports it
	}
	stays := false
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."+activePrefix) && strings.HasSuffix(e.Name(), newSuffix):
			errs = appendErr(errs, os.Remove(path))
		case strings.HasPrefix(e.Name(), ".") || e.Name() == originalsDir || !e.IsDir():
			stays = true
		default:
			errs = append(errs, t.sweepVersion(s, dkms.Package{Name: name, Version: e.Name()})...)
		}
	}
	if !stays {
		_ = os.Remove(dir) // if that was all
	}
	return errs
}

// sweepVersion sweeps TREE/NAME/VER.
func (t Tree) sweepVersion(s *Swept, p dkms.Package) (errs []error) {
	dir := t.PackageDir(p)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.Name() == scratchDir:
			s.Notes = append(s.Notes, p.String()+": remnants of an interrupted build were removed")
			errs = appendErr(errs, clearAway(path))
		case e.Name() == ".source"+newSuffix || isTemp(e.Name()):
			errs = appendErr(errs, os.Remove(path))
		case e.Name() == logDir:
			errs = append(errs, t.sweepLogs(p)...)
		case strings.HasPrefix(e.Name(), ".") || reserved[e.Name()] || !e.IsDir():
		default:
			errs = append(errs, t.sweepRelease(s, p, e.Name())...)
		}
	}
	if !system.Exists(t.SourceLink(p)) {
		// An add that was killed before it made the link.
		_ = os.Remove(t.BuildDir(p))
		_ = os.Remove(dir)
	}
	return errs
}

// sweepRelease removes directories RELEASE/ARCH that hold no module/ nor
// anything that is not ours or dkms's: dkms refuses to build over one.
func (t Tree) sweepRelease(s *Swept, p dkms.Package, release string) (errs []error) {
	dir := filepath.Join(t.PackageDir(p), release)
	arches, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	stays := false
	for _, e := range arches {
		r := dkms.Ref{Package: p, KernelID: dkms.KernelID{Release: release, Arch: e.Name()}}
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			stays = true
			continue
		}
		entries, err := os.ReadDir(t.RefDir(r))
		errs = append(errs, dropTemps(t.RefDir(r), entries)...)
		if err != nil || !isRemnant(entries) {
			stays = true
			continue
		}
		s.Notes = append(s.Notes, r.String()+": a half-finished build was removed")
		errs = appendErr(errs, t.discard(t.RefDir(r)))
	}
	if !stays {
		_ = os.Remove(dir)
	}
	return errs
}

func isRemnant(entries []fs.DirEntry) bool {
	return !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return e.Name() != "log" && !strings.HasPrefix(e.Name(), ".")
	})
}

// lastBreath is how long compilers of a killed build may still write; each ends
// with the file that it is at.
const lastBreath = 20 * time.Second

// clearAway removes path and all in it, also while programs of a build whose
// master was killed are still writing there.
func clearAway(path string) error {
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := os.RemoveAll(path)
		if !errors.Is(err, syscall.ENOTEMPTY) || time.Since(start) > lastBreath {
			return err
		}
	}
}

// sweepTemps removes the files in dir that were never renamed to what they were
// to become.
func sweepTemps(dir string) (errs []error) {
	entries, _ := os.ReadDir(dir)
	return dropTemps(dir, entries)
}

func dropTemps(dir string, entries []fs.DirEntry) (errs []error) {
	for _, e := range entries {
		if isTemp(e.Name()) {
			errs = appendErr(errs, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return errs
}

// isTemp knows the temporary names of system.WriteFile: .FILEnumber.
func isTemp(name string) bool {
	stem := strings.TrimRight(name, "0123456789")
	return strings.HasPrefix(name, ".") && len(name)-len(stem) >= 4 &&
		(strings.HasSuffix(stem, ".json") || strings.HasSuffix(stem, ".log"))
}

func appendErr(errs []error, err error) []error {
	if err != nil && !isMissing(err) {
		errs = append(errs, err)
	}
	return errs
}

// needDepmod notes, before the first change, that release's modules.dep will be
// out of date, so that no crash loses that.
func (t Tree) needDepmod(release string) error {
	if err := t.at("depmod note"); err != nil {
		return err
	}
	if err := os.MkdirAll(t.depmodDir(), 0o755); err != nil {
		return err
	}
	path := filepath.Join(t.depmodDir(), release)
	if system.Exists(path) {
		return nil
	}
	return system.WriteFile(path, nil, 0o644)
}

// DepmodDone notes that release's modules.dep is up to date again, or that the
// person asked for no depmod.
func (t Tree) DepmodDone(release string) error {
	if err := dkms.CheckWord("kernel release", release); err != nil {
		return err
	}
	if err := removeIf(filepath.Join(t.depmodDir(), release)); err != nil {
		return problem(release, "depmod cannot be noted as done", err)
	}
	return nil
}
