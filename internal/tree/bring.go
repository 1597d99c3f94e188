package tree

import (
	"errors"
	"os"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Brought is a source that was copied to SOURCETREE and can still be taken back.
// Exactly one of Keep and Undo is to be called; after a crash Sweep decides.
type Brought struct {
	Place    string // where it is now
	old      string // what it took the place of, if anything
	replaced bool
}

// BringSource copies the directory dir to SOURCETREE/NAME-VER, with conf, if it
// is not empty, as its dkms.conf. What is there is set aside until Keep. On an
// error everything is as before.
func (t Tree) BringSource(p dkms.Package, dir, conf string) (*Brought, error) {
	if err := checkNew(p); err != nil {
		return nil, err
	}
	place := t.Source(p)
	b := &Brought{Place: place, old: hidden(place, oldSuffix)}
	staged := hidden(place, newSuffix)
	if err := stageSource(dir, conf, staged); err != nil {
		return nil, errors.Join(problem(dir, "cannot be copied to "+place, err), os.RemoveAll(staged))
	}
	if system.Exists(place) {
		if err := os.Rename(place, b.old); err != nil {
			return nil, errors.Join(problem(place, "cannot be set aside", err), os.RemoveAll(staged))
		}
		b.replaced = true
	}
	if err := system.Rename(staged, place); err != nil {
		return nil, errors.Join(problem(place, "cannot be written", err), os.RemoveAll(staged), b.Undo())
	}
	return b, nil
}

func stageSource(dir, conf, staged string) error {
	if err := os.RemoveAll(staged); err != nil {
		return err
	}
	if err := system.CopyTree(dir, staged); err != nil {
		return err
	}
	if conf != "" {
		data, err := os.ReadFile(conf)
		if err != nil {
			return err
		}
		if err := system.WriteFile(staged+"/dkms.conf", data, 0o644); err != nil {
			return err
		}
	}
	return system.SyncTree(staged)
}

// Undo puts back what was there.
func (b *Brought) Undo() error {
	err := os.RemoveAll(b.Place)
	if err == nil && b.replaced {
		err = system.Rename(b.old, b.Place)
	}
	return err
}

// Keep removes what was there.
func (b *Brought) Keep() error { return os.RemoveAll(b.old) }
