package initramfs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// lists are the files in which an administrator, or a package, names modules
// that are to be in every image: initramfs-tools(7), dracut.conf(5),
// mkinitcpio.conf(5).
var lists = map[string][]string{
	UpdateInitramfs: {"/etc/initramfs-tools/modules", "/usr/share/initramfs-tools/modules.d/*", "/etc/initramfs-tools/modules.d/*"},
	Dracut:          {"/etc/dracut.conf", "/etc/dracut.conf.d/*.conf", "/usr/lib/dracut/dracut.conf.d/*.conf"},
	Mkinitcpio:      {"/etc/mkinitcpio.conf", "/etc/mkinitcpio.conf.d/*.conf"},
}

// Asks reports whether the settings of the tool that makes the image name one of
// modules, by name, so that it belongs in there although it may not be yet: when
// the image was made, the module was not built. Names that a program or a
// condition would give are not found.
func (i Image) Asks(modules []string) bool {
	patterns := lists[i.Tool]
	if i.Tool == KernelInstall { // which calls one of them
		patterns = slices.Concat(lists[Dracut], lists[Mkinitcpio])
	}
	for _, pattern := range patterns {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err == nil && namesAny(string(text), modules) {
				return true
			}
		}
	}
	return false
}

// namesAny looks for one of modules as a word of a line that is no comment.
func namesAny(text string, modules []string) bool {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		for _, word := range strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" \t\n\"'()=+", c) }) {
			if slices.ContainsFunc(modules, func(m string) bool { return sameName(m) == sameName(word) }) {
				return true
			}
		}
	}
	return false
}
