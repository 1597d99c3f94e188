package kmod

import (
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// Facts are what a module says of itself, as far as relations between packages
// are made of it.
type Facts struct {
	File    string            // base name: hello.ko.xz
	Version string            // MODULE_VERSION
	Exports map[string]uint32 // symbols it exports, with their CRCs
	Needs   map[string]uint32 // symbols it takes from elsewhere, with their CRCs
	// Undefined are the symbols that it takes from elsewhere, whether or not
	// it knows their CRCs.
	Undefined []string
	Alias     []string
	Firmware  []string
}

// ReadFacts reads the facts of the module at path, which may be compressed.
func ReadFacts(path string) (Facts, error) {
	m, err := ko.Open(path)
	if err != nil {
		return Facts{}, err
	}
	f := Facts{File: filepath.Base(path), Version: m.Version, Alias: m.Alias, Firmware: m.Firmware}
	if f.Exports, err = m.Exports(); err != nil {
		return Facts{}, err
	}
	if f.Needs, err = m.Versions(); err != nil {
		return Facts{}, err
	}
	f.Undefined, err = m.Undefined()
	return f, err
}
