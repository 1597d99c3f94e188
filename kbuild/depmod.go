package kbuild

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Depmod brings the kernel's module index up to date: depmod(8) -a RELEASE. A
// kernel that has no modules.dep yet is passed over; its own package will run
// depmod. The error is of Kind NothingInstalled.
func Depmod(ctx context.Context, k Kernel) error {
	if !system.Exists(filepath.Join(k.ModuleDir, "modules.dep")) {
		return nil
	}
	args, done, err := depmodArgs(k)
	if err != nil {
		return err
	}
	defer done()
	var said bytes.Buffer
	err = system.Run(ctx, system.Command{Args: args, Stdout: &said, Stderr: &said})
	if err == nil || ctx.Err() != nil {
		return err
	}
	failed := &dkms.Error{Kind: dkms.NothingInstalled, Object: k.Release, Problem: "depmod failed", Err: err}
	if errors.Is(err, exec.ErrNotFound) {
		failed.Problem, failed.Hint, failed.Err = "the program depmod is not installed", "install kmod", nil
	} else if first, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n"); first != "" {
		failed.Err = errors.New(first)
	}
	return failed
}

// depmodArgs returns the command. depmod knows only base directories (-b), to
// which it appends lib/modules or, in some distributions, usr/lib/modules; for
// another install tree it is given a base of links, which done removes.
func depmodArgs(k Kernel) (args []string, done func(), err error) {
	tree := filepath.Dir(k.ModuleDir)
	if tree == "/lib/modules" || tree == "/usr/lib/modules" {
		return []string{"depmod", "-a", k.Release}, func() {}, nil
	}
	base, err := os.MkdirTemp("", "depmod-")
	if err != nil {
		return nil, nil, err
	}
	done = func() { _ = os.RemoveAll(base) }
	for _, dir := range []string{"lib", "usr/lib"} {
		err := os.MkdirAll(filepath.Join(base, dir), 0o755)
		if err == nil {
			err = os.Symlink(tree, filepath.Join(base, dir, "modules"))
		}
		if err != nil {
			done()
			return nil, nil, err
		}
	}
	return []string{"depmod", "-b", base, "-a", k.Release}, done, nil
}
