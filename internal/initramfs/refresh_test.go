package initramfs

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// TestRefresh has tools that say how they are called.
func TestRefresh(t *testing.T) {
	bin := t.TempDir()
	for _, tool := range []string{UpdateInitramfs, Dracut, Mkinitcpio, KernelInstall} {
		path := write(t, filepath.Join(bin, tool), []byte("#!/bin/sh\necho \"${0##*/} $*\"\necho \"package:$DPKG_MAINTSCRIPT_PACKAGE$DPKG_MAINTSCRIPT_NAME$KEPT\" >&2\n"))
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	t.Setenv("DPKG_MAINTSCRIPT_PACKAGE", "foo-dkms")
	t.Setenv("DPKG_MAINTSCRIPT_NAME", "postinst")
	t.Setenv("KEPT", "kept")
	preset := map[string]string{
		"/usr/lib/modules/K/pkgbase": "linux\n", "/etc/mkinitcpio.d/linux.preset": arch + image, "/boot/vmlinuz-linux": string(vmlinuz("K")),
	}
	for _, c := range []struct {
		tool, path string
		files      map[string]string
		want       string
	}{
		{UpdateInitramfs, "/boot/initrd.img-K", nil, "update-initramfs -u -k K"},
		{Dracut, "/boot/initramfs-K.img", nil, "dracut --force --kver K /boot/initramfs-K.img"},
		{Mkinitcpio, "/boot/initramfs-linux.img", preset, "mkinitcpio -p linux"},
		{Mkinitcpio, "/boot/initramfs-K.img", preset, "mkinitcpio -k K -g /boot/initramfs-K.img"},
		{Mkinitcpio, "/boot/initramfs-K.img", nil, "mkinitcpio -k K -g /boot/initramfs-K.img"},
		{KernelInstall, "/efi/x/K/initrd", nil, "kernel-install add K"},
		{KernelInstall, "/efi/x/K/initrd", map[string]string{"/boot/vmlinuz-K": ""}, "kernel-install add K /boot/vmlinuz-K"},
		{
			KernelInstall, "/efi/x/K/initrd", map[string]string{"/boot/vmlinuz-K": "", "/lib/modules/K/vmlinuz": ""},
			"kernel-install add K /lib/modules/K/vmlinuz",
		},
		{
			KernelInstall, "/efi/x/K/initrd", map[string]string{"/usr/lib/modules/K/vmlinuz": "", "/lib/modules/K/vmlinuz": ""},
			"kernel-install add K /usr/lib/modules/K/vmlinuz",
		},
	} {
		m := machine{root: t.TempDir()}
		for path, content := range c.files {
			write(t, m.path(path), []byte(content))
		}
		var out bytes.Buffer
		err := m.refresh(t.Context(), Image{"K", c.path, c.tool}, &out)
		if want := c.want + "\npackage:kept\n"; err != nil || out.String() != want {
			t.Errorf("Refresh(%s of %s) = %v, printed %q; want %q", c.tool, c.path, err, out.String(), want)
		}
	}
}

func TestRefreshFails(t *testing.T) {
	bin := t.TempDir()
	path := write(t, filepath.Join(bin, Mkinitcpio), []byte("#!/bin/sh\necho no space >&2\nexit 5\n"))
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	var out bytes.Buffer
	err := Image{"K", "/boot/x", Mkinitcpio}.Refresh(t.Context(), &out)
	var exit *system.ExitError
	if !errors.As(err, &exit) || exit.Status != 5 || !strings.HasPrefix(err.Error(), "/boot/x: ") || out.String() != "no space\n" {
		t.Errorf("Refresh = %v, printed %q; want exit status 5 of /boot/x", err, out.String())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, lookErr := exec.LookPath(Mkinitcpio); lookErr != nil {
		if err := (Image{"K", "/boot/x", Mkinitcpio}).Refresh(t.Context(), &out); !errors.Is(err, exec.ErrNotFound) {
			t.Errorf("Refresh without the program = %v; want %v", err, exec.ErrNotFound)
		}
	}
	if err := (Image{"K", "/boot/x", "dd"}).Refresh(t.Context(), &out); err == nil || !strings.Contains(err.Error(), `"dd" is no program`) {
		t.Errorf("Refresh by dd = %v; want an error", err)
	}
}
