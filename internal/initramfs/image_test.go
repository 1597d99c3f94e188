package initramfs

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// vmlinuz returns the beginning of an x86 kernel image of the release.
func vmlinuz(release string) []byte {
	b := make([]byte, 0x400)
	copy(b[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(b[0x20e:], 0x100)
	copy(b[0x300:], release+" (build@host) #1 SMP\x00")
	return b
}

const (
	arch  = "ALL_config=\"/etc/mkinitcpio.conf\"\nALL_kver=\"/boot/vmlinuz-linux\"\nPRESETS=('default' 'fallback')\n"
	image = "# default_image=\"/boot/old.img\"\ndefault_image=\"/boot/initramfs-linux.img\"\nfallback_image='/boot/initramfs-linux-fallback.img'\n"
	uki   = "default_uki=\"/efi/EFI/Linux/arch-linux.efi\"\n"
)

func TestFind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string // path to content
		tools []string
		want  string // of release K: "PATH by TOOL", empty for none
	}{
		"nothing":               {nil, []string{UpdateInitramfs, Dracut, Mkinitcpio, KernelInstall}, ""},
		"Debian":                {map[string]string{"/boot/initrd.img-K": ""}, []string{UpdateInitramfs}, "/boot/initrd.img-K by update-initramfs"},
		"another kernel's":      {map[string]string{"/boot/initrd.img-K2": "", "/boot/initramfs-K2.img": ""}, []string{UpdateInitramfs, Dracut}, ""},
		"a directory":           {map[string]string{"/boot/initrd.img-K/x": ""}, []string{UpdateInitramfs}, ""},
		"no tool":               {map[string]string{"/boot/initrd.img-K": ""}, []string{Mkinitcpio, KernelInstall}, ""},
		"Debian, dracut":        {map[string]string{"/boot/initrd.img-K": ""}, []string{Dracut}, "/boot/initrd.img-K by dracut"},
		"both":                  {map[string]string{"/boot/initrd.img-K": ""}, []string{Dracut, UpdateInitramfs}, "/boot/initrd.img-K by update-initramfs"},
		"Fedora":                {map[string]string{"/boot/initramfs-K.img": ""}, []string{Dracut, KernelInstall}, "/boot/initramfs-K.img by dracut"},
		"mkinitcpio by release": {map[string]string{"/boot/initramfs-K.img": ""}, []string{Mkinitcpio}, "/boot/initramfs-K.img by mkinitcpio"},
		"SUSE":                  {map[string]string{"/boot/initrd-K": ""}, []string{Dracut}, "/boot/initrd-K by dracut"},
		"machine-id": {
			map[string]string{"/etc/machine-id": "0123\n", "/boot/0123/K/initrd": "", "/boot/initramfs-K.img": ""},
			[]string{Dracut, KernelInstall}, "/boot/0123/K/initrd by kernel-install",
		},
		"entry-token": {
			map[string]string{"/etc/machine-id": "0123\n", "/etc/kernel/entry-token": "mine\n", "/efi/mine/K/initrd": "", "/efi/0123/K/initrd": ""},
			[]string{KernelInstall}, "/efi/mine/K/initrd by kernel-install",
		},
		"os-release": {
			map[string]string{"/etc/os-release": "NAME='x'\nID=\"fedora\"\n", "/boot/efi/fedora/K/initrd": ""},
			[]string{KernelInstall}, "/boot/efi/fedora/K/initrd by kernel-install",
		},
		"another system's": {map[string]string{"/etc/machine-id": "0123\n", "/boot/efi/fedora/K/initrd": ""}, []string{KernelInstall}, ""},
		"no machine-id yet": {
			map[string]string{"/etc/machine-id": "uninitialized\n", "/boot/uninitialized/K/initrd": "", "/boot/Default/K/initrd": ""},
			[]string{KernelInstall}, "/boot/Default/K/initrd by kernel-install",
		},
		"a token with a way out": {map[string]string{"/etc/kernel/entry-token": "../etc\n", "/etc/K/initrd": ""}, []string{KernelInstall}, ""},
		"unified": {
			map[string]string{"/etc/machine-id": "0123\n", "/efi/EFI/Linux/0123-K.efi": ""},
			[]string{KernelInstall}, "/efi/EFI/Linux/0123-K.efi by kernel-install",
		},
		"Debian, systemd-boot": {
			map[string]string{"/etc/machine-id": "0123\n", "/boot/efi/0123/K/initrd": "", "/boot/initrd.img-K": ""},
			[]string{KernelInstall, UpdateInitramfs, Dracut}, "/boot/initrd.img-K by update-initramfs",
		},
		"Arch": {
			map[string]string{
				"/usr/lib/modules/K/pkgbase": "linux\n", "/etc/mkinitcpio.d/linux.preset": arch + image,
				"/boot/vmlinuz-linux": string(vmlinuz("K")), "/boot/initramfs-linux.img": "", "/boot/old.img": "",
			},
			[]string{Mkinitcpio}, "/boot/initramfs-linux.img by mkinitcpio",
		},
		"Arch, unified": {
			map[string]string{
				"/lib/modules/K/pkgbase": "linux\n", "/etc/mkinitcpio.d/linux.preset": arch + uki,
				"/boot/vmlinuz-linux": string(vmlinuz("K")), "/efi/EFI/Linux/arch-linux.efi": "",
			},
			[]string{Mkinitcpio}, "/efi/EFI/Linux/arch-linux.efi by mkinitcpio",
		},
		"Arch, the old kernel": {
			map[string]string{
				"/usr/lib/modules/K/pkgbase": "linux\n", "/etc/mkinitcpio.d/linux.preset": arch + image,
				"/boot/vmlinuz-linux": string(vmlinuz("K2")), "/boot/initramfs-linux.img": "",
			},
			[]string{Mkinitcpio, Dracut}, "",
		},
		"Arch, a kernel that does not tell": {
			map[string]string{
				"/usr/lib/modules/K/pkgbase": "linux\n", "/etc/mkinitcpio.d/linux.preset": arch + image,
				"/boot/vmlinuz-linux": "MZ", "/boot/initramfs-linux.img": "",
			},
			[]string{Mkinitcpio}, "/boot/initramfs-linux.img by mkinitcpio",
		},
		"Arch, a preset for a release": {
			map[string]string{
				"/usr/lib/modules/K/pkgbase": "linux\n", "/etc/mkinitcpio.d/linux.preset": "ALL_kver=K2\n" + image,
				"/boot/initramfs-linux.img": "",
			},
			[]string{Mkinitcpio}, "",
		},
		"Arch, dracut": {
			map[string]string{
				"/usr/lib/modules/K/pkgbase": "linux-lts\n", "/boot/vmlinuz-linux-lts": string(vmlinuz("K")),
				"/boot/initramfs-linux-lts.img": "",
			},
			[]string{Dracut}, "/boot/initramfs-linux-lts.img by dracut",
		},
		"a package with a way out": {
			map[string]string{"/usr/lib/modules/K/pkgbase": "../../x\n", "/etc/x.preset": image, "/boot/initramfs-linux.img": ""},
			[]string{Mkinitcpio}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := machine{t.TempDir(), func(tool string) bool { return slices.Contains(c.tools, tool) }}
			for path, content := range c.files {
				write(t, m.path(path), []byte(content))
			}
			got := ""
			if i, ok := m.find("K"); ok {
				got = fmt.Sprintf("%s by %s", i.Path, i.Tool)
				if i.Release != "K" {
					t.Errorf("Find(K) is for %q", i.Release)
				}
			}
			if got != c.want {
				t.Errorf("Find(K) = %q; want %q", got, c.want)
			}
		})
	}
}

func TestFindNoRelease(t *testing.T) {
	t.Parallel()
	m := machine{t.TempDir(), func(string) bool { return true }}
	write(t, m.path("/boot/initrd.img-"), nil)
	write(t, m.path("/boot/initrd.img-x/y"), nil)
	for _, release := range []string{"", ".", "..", "x/y"} {
		if i, ok := m.find(release); ok {
			t.Errorf("Find(%q) = %v; want none", release, i)
		}
	}
}

func TestLocate(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "dkms-hook-test-tool"), nil)
	t.Setenv("PATH", dir)
	if got := locate("dkms-hook-test-tool"); got != "" {
		t.Errorf("locate of a file that is no program = %q; want none", got)
	}
	if err := os.Chmod(filepath.Join(dir, "dkms-hook-test-tool"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, want := locate("dkms-hook-test-tool"), filepath.Join(dir, "dkms-hook-test-tool"); got != want {
		t.Errorf("locate = %q; want %q", got, want)
	}
	if locate("sh") == "" {
		t.Errorf("locate finds no sh where PATH lacks it")
	}
}
