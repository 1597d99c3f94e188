package tree

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Lock takes the one lock of the tree, which every run that writes holds.
// waiting is called once, with the holder's process number, before it waits.
// A caller whose own ancestor holds the lock, such as a POST_INSTALL script
// that runs dkms, gets Kind Busy at once.
func (t Tree) Lock(ctx context.Context, waiting func(pid int)) (*system.Lock, error) {
	if err := os.MkdirAll(t.own(), 0o755); err != nil {
		return nil, problem(t.Dir, "cannot be written", err)
	}
	lock, err := system.TakeLock(ctx, t.lockPath(), waiting)
	switch {
	case errors.Is(err, system.ErrHeldByAncestor):
		return nil, &dkms.Error{Kind: dkms.Busy, Object: t.Dir, Problem: "is being changed by the run that called this one",
			Hint: "a package's scripts can ask for the status, but not change the tree"}
	case err != nil && ctx.Err() != nil:
		return nil, &dkms.Error{Kind: dkms.Interrupted, Object: t.Dir, Problem: "interrupted while waiting for another run", Err: context.Cause(ctx),
			Hint: "nothing was changed; try it again"}
	case err != nil:
		return nil, problem(t.Dir, "cannot be locked", err)
	}
	return lock, nil
}

// problem makes the Error for a failed file operation on object, with the Kind
// that its cause asks for.
func problem(object, text string, err error) error {
	var already *dkms.Error
	if errors.As(err, &already) {
		return err
	}
	e := &dkms.Error{Object: object, Problem: text, Err: err}
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		e.Kind = dkms.NotAllowed
		e.Hint = "this needs root and a writable file system"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.Hint = "free some space and run it again; nothing was changed"
	}
	return e
}

// Writable makes the tree's directory, and refuses early and in one voice what would fail half-way.
func (t Tree) Writable() error {
	err := os.MkdirAll(t.Dir, 0o755)
	if err == nil {
		err = syscall.Access(t.Dir, 2 /* W_OK */)
	}
	if err == nil {
		return nil
	}
	hint := "run as root"
	if errors.Is(err, syscall.EROFS) {
		hint = "the file system is read-only"
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &dkms.Error{Kind: dkms.NotAllowed, Object: t.Dir, Problem: "cannot be written", Err: err, Hint: hint}
}
