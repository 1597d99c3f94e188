package initramfs

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Programs that make initial RAM file systems, as Image.Tool names them.
const (
	UpdateInitramfs = "update-initramfs" // Debian's initramfs-tools, and what has taken over its name
	Dracut          = "dracut"
	Mkinitcpio      = "mkinitcpio"
	KernelInstall   = "kernel-install" // systemd; it asks others for the content
)

// Image is the initial RAM file system of one kernel: a file on disk, and the
// program that makes it.
type Image struct {
	Release string // the kernel's
	Path    string // of the file, or of the unified kernel image (EFI) that it is part of
	Tool    string // one of the names above
}

// Find returns the image of the kernel release, if there is one and the
// program that makes it is there, too.
func Find(release string) (Image, bool) {
	return machine{"/", func(tool string) bool { return locate(tool) != "" }}.find(release)
}

// locate returns the path of a program, or "". What calls us may have a PATH
// without sbin.
func locate(program string) string {
	for _, env := range [][]string{nil, {"PATH=" + system.SafePath}} {
		if path, err := system.LookPath(program, env); err == nil {
			return path
		}
	}
	return ""
}

// machine is what there is to look at.
type machine struct {
	root string                 // directory that paths are taken in
	has  func(tool string) bool // whether a program is there
}

func (m machine) find(release string) (Image, bool) {
	if release == "" || release == "." || release == ".." || strings.ContainsRune(release, '/') {
		return Image{}, false
	}
	for _, i := range m.candidates(release) {
		if m.has(i.Tool) && isFile(m.path(i.Path)) {
			return i, true
		}
	}
	return Image{}, false
}

func (m machine) path(path string) string { return filepath.Join(m.root, path) }

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// candidates are all the images that the kernel may have, best first. What
// kernel-install made comes before what dracut made, because kernel-install
// calls dracut, but after update-initramfs, whose hooks call kernel-install.
func (m machine) candidates(release string) []Image {
	debian := "/boot/initrd.img-" + release
	all := []Image{{release, debian, UpdateInitramfs}}
	for _, path := range m.entries(release) {
		all = append(all, Image{release, path, KernelInstall})
	}
	fedora, suse := "/boot/initramfs-"+release+".img", "/boot/initrd-"+release
	for _, path := range []string{debian, fedora, suse} {
		all = append(all, Image{release, path, Dracut})
	}
	if p, ok := m.preset(release); ok {
		for _, path := range p.images {
			all = append(all, Image{release, path, Mkinitcpio})
		}
		all = append(all, Image{release, "/boot/initramfs-" + p.name + ".img", Dracut})
	}
	return append(all, Image{release, fedora, Mkinitcpio})
}

// entries are the files that kernel-install makes for a kernel, where its
// layout is bls or uki (kernel-install(8), files).
func (m machine) entries(release string) (paths []string) {
	for _, boot := range []string{"/efi", "/boot", "/boot/efi"} {
		for _, token := range m.tokens() {
			paths = append(paths,
				filepath.Join(boot, token, release, "initrd"),
				filepath.Join(boot, "EFI/Linux", token+"-"+release+".efi"))
		}
	}
	return paths
}

// tokens are what kernel-install may have named its entries by, as it looks
// for them (kernel-install(8), --entry-token).
func (m machine) tokens() (tokens []string) {
	for _, file := range []string{"/etc/kernel/entry-token", "/etc/machine-id"} {
		data, err := os.ReadFile(m.path(file))
		if token := strings.TrimSpace(string(data)); err == nil && isToken(token) {
			tokens = append(tokens, token)
		}
	}
	release := m.assignments("/etc/os-release")
	for _, key := range []string{"IMAGE_ID", "ID"} {
		if token := release[key]; isToken(token) {
			tokens = append(tokens, token)
		}
	}
	return append(tokens, "Default")
}

func isToken(s string) bool {
	return s != "" && s != "uninitialized" && !strings.HasPrefix(s, ".") && !strings.ContainsAny(s, "/ \t\n")
}

// assignments reads the plain assignments of a file in shell syntax, which is
// not run: KEY=value, KEY='value', KEY="value".
func (m machine) assignments(path string) map[string]string {
	data, err := os.ReadFile(m.path(path))
	if err != nil {
		return nil
	}
	values := map[string]string{}
	for line := range strings.Lines(string(data)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		values[key] = strings.Trim(value, `"'`)
	}
	return values
}
