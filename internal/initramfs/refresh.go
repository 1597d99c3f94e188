package initramfs

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Refresh has the image made anew, now and for this kernel only. What the
// program prints goes to out, errors are "PATH: PROGRAM: exit status N". A
// program that its administrator forbade to do anything (update_initramfs=no)
// succeeds.
func (i Image) Refresh(ctx context.Context, out io.Writer) error {
	return machine{root: "/"}.refresh(ctx, i, out)
}

func (m machine) refresh(ctx context.Context, i Image, out io.Writer) error {
	args, err := m.command(i)
	if err == nil {
		if path := locate(args[0]); path != "" {
			args[0] = path
		}
		err = system.Run(ctx, system.Command{Args: args, Env: immediately(os.Environ()), Stdout: out, Stderr: out})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", i.Path, err)
	}
	return nil
}

// immediately returns env without what tells a program that a dpkg maintainer
// script runs it: update-initramfs would leave the work to a trigger, which
// dpkg may be processing at this moment, and say that all is well.
func immediately(env []string) []string {
	return slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "DPKG_MAINTSCRIPT_") })
}

// command returns how the image is made.
func (m machine) command(i Image) ([]string, error) {
	switch i.Tool {
	case UpdateInitramfs:
		return []string{UpdateInitramfs, "-u", "-k", i.Release}, nil
	case Dracut:
		return []string{Dracut, "--force", "--kver", i.Release, i.Path}, nil
	case Mkinitcpio:
		// A preset makes all its images: the fallback one holds the modules, too.
		if p, ok := m.preset(i.Release); ok && slices.Contains(p.images, i.Path) {
			return []string{Mkinitcpio, "-p", p.name}, nil
		}
		return []string{Mkinitcpio, "-k", i.Release, "-g", i.Path}, nil
	case KernelInstall:
		args := []string{KernelInstall, "add", i.Release}
		// Before systemd 255 the kernel's image had to be named.
		for _, path := range []string{
			filepath.Join("/usr/lib/modules", i.Release, "vmlinuz"),
			filepath.Join("/lib/modules", i.Release, "vmlinuz"),
			"/boot/vmlinuz-" + i.Release,
		} {
			if isFile(m.path(path)) {
				return append(args, path), nil
			}
		}
		return args, nil
	}
	return nil, fmt.Errorf("%q is no program for initial RAM file systems", i.Tool)
}
