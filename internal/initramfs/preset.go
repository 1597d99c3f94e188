package initramfs

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// preset is what mkinitcpio knows a kernel by: NAME.preset in /etc/mkinitcpio.d
// (mkinitcpio(8), ABOUT PRESETS).
type preset struct {
	name   string
	images []string // of its default: the image, or the unified kernel image
}

// preset returns the preset of the kernel release. Its name is that of the
// kernel's package, which Arch's kernels write down in their directory. Images
// are named by it, too, not by the release, so a directory that an upgrade
// left behind would claim those of the new kernel: the preset's kernel must be
// this one.
func (m machine) preset(release string) (preset, bool) {
	name := ""
	for _, dir := range []string{"/usr/lib/modules", "/lib/modules"} {
		base, err := os.ReadFile(m.path(filepath.Join(dir, release, "pkgbase")))
		if name = strings.TrimSpace(string(base)); err == nil && isToken(name) {
			break
		}
	}
	if !isToken(name) {
		return preset{}, false
	}
	p := preset{name: name}
	values := m.assignments("/etc/mkinitcpio.d/" + name + ".preset")
	kernel := first(values["default_kver"], values["ALL_kver"], "/boot/vmlinuz-"+name)
	if !m.isKernel(kernel, release) {
		return preset{}, false
	}
	for _, key := range []string{"default_image", "default_uki"} {
		if path := values[key]; strings.HasPrefix(path, "/") {
			p.images = append(p.images, path)
		}
	}
	return p, true
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// isKernel reports whether kernel, a release or the path of a kernel's image,
// is release. An image that does not tell is believed to be.
func (m machine) isKernel(kernel, release string) bool {
	if !strings.HasPrefix(kernel, "/") {
		return kernel == release
	}
	told := imageRelease(m.path(kernel))
	return told == "" || told == release
}

// imageRelease reads the release from an x86 kernel image (Linux,
// Documentation/arch/x86/boot.rst, kernel_version); "" where that is not told.
func imageRelease(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	var header [0x210]byte
	if _, err := io.ReadFull(f, header[:]); err != nil || string(header[0x202:0x206]) != "HdrS" {
		return ""
	}
	var text [256]byte
	at := 0x200 + int64(binary.LittleEndian.Uint16(header[0x20e:]))
	n, _ := f.ReadAt(text[:], at)
	version, _, _ := bytes.Cut(text[:n], []byte{0})
	release, _, _ := strings.Cut(string(version), " ")
	return release
}
