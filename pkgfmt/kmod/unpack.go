package kmod

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// unpack puts the source where a package would have put it, so that a build
// sees the files, modes and times that it would see on another machine.
func (w *workshop) unpack() error {
	for _, f := range w.d.Files {
		if !filepath.IsLocal(f.Path) {
			return &dkms.Error{Kind: dkms.Usage, Object: fmt.Sprintf("%q", f.Path), Problem: "lies outside of the source"}
		}
		if err := w.unpackFile(f, filepath.Join(w.source(), f.Path)); err != nil {
			return cannotBuildIn(w.o.Scratch, err)
		}
	}
	return nil
}

func (w *workshop) unpackFile(f pkgfmt.File, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	switch {
	case f.Kind == pkgfmt.Directory:
		return os.MkdirAll(to, 0o755)
	case f.Kind == pkgfmt.Link:
		return os.Symlink(f.Target, to)
	case f.Source == "":
		if err := os.WriteFile(to, f.Data, f.Mode.Perm()); err != nil {
			return err
		}
	default:
		if err := system.CopyFile(f.Source, to, f.Mode.Perm()); err != nil {
			return err
		}
	}
	if err := os.Chmod(to, f.Mode.Perm()|0o200); err != nil { // whatever the umask; and builds write
		return err
	}
	at := w.d.Time
	if now := time.Now(); at.After(now) {
		at = now // make does not like the future
	}
	return os.Chtimes(to, at, at)
}

// cannotBuildIn is err, or what it means when the scratch directory is full.
func cannotBuildIn(dir string, err error) error {
	var failed *kbuild.BuildError
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.As(err, &failed) && failed.Class == kbuild.DiskFull {
		return &dkms.Error{Object: filepath.Dir(dir), Problem: "has no room to build in", Hint: "set TMPDIR to a larger directory"}
	}
	return err
}

// copyTo copies a file to where no directory needs to be yet.
func copyTo(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return system.CopyFile(from, to, 0o644)
}
