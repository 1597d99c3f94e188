package kmod

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Native is what dpkg knows of a kernel.
type Native struct {
	// Prefix is how the kernel's own packages spell the directory of modules:
	// /lib/modules or /usr/lib/modules. dpkg compares paths as texts, so ours
	// are to be spelled alike.
	Prefix string
	// Version is that of the package with the headers that the modules are
	// built against; empty when they are in none.
	Version string
}

// The spellings of the directory that has the kernels' modules.
const (
	plainPrefix  = "/lib/modules"
	mergedPrefix = "/usr/lib/modules"
)

// kernelParts are the packages that one kernel may be split into, those that
// tell first how paths are spelled.
var kernelParts = []string{"linux-modules-", "linux-image-", "linux-image-unsigned-", "linux-headers-", "linux-binary-", "linux-base-"}

// readNative looks a kernel up in dpkg's database at dir. A machine without
// one is no error: packages for Debian can be made elsewhere.
func readNative(dir, release string) (Native, error) {
	n := Native{Prefix: plainPrefix}
	for _, part := range slices.Backward(kernelParts) {
		prefix, err := spelling(filepath.Join(dir, "info"), part+release, release)
		if err != nil {
			return Native{}, err
		}
		if prefix != "" {
			n.Prefix = prefix
		}
	}
	var err error
	n.Version, err = installedVersion(filepath.Join(dir, "status"), "linux-headers-"+release)
	return n, err
}

// spelling returns how a package spells the directory of modules, by the list
// of its files; empty when it has none below it.
func spelling(info, pkg, release string) (string, error) {
	lists, err := filepath.Glob(filepath.Join(info, pkg+":*.list")) // Multi-Arch: same
	if err != nil {
		return "", err
	}
	for _, list := range append(lists, filepath.Join(info, pkg+".list")) {
		text, err := os.ReadFile(list)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(string(text)) {
			for _, prefix := range []string{plainPrefix, mergedPrefix} {
				if strings.HasPrefix(line, prefix+"/"+release+"\n") || strings.HasPrefix(line, prefix+"/"+release+"/") {
					return prefix, nil
				}
			}
		}
	}
	return "", nil
}

// installedVersion returns the version of a package that dpkg's status file
// has as installed; empty when it has not.
func installedVersion(status, pkg string) (string, error) {
	f, err := os.Open(status)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20) // some have hundreds of conffiles, none a line like that
	var name, state, version string
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		switch value = strings.TrimSpace(value); key {
		case "":
			name, state, version = "", "", ""
		case "Package":
			name = value
		case "Status":
			state = value
		case "Version":
			version = value
		}
		if name == pkg && version != "" && strings.HasSuffix(state, " installed") {
			return version, nil
		}
	}
	return "", lines.Err()
}
