package kmod

import (
	"slices"

	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// Facts are what a module says of itself, as far as relations between packages
// are made of it.
type Facts struct {
	Path    string            // where it is installed: /lib/modules/RELEASE/extra/NAME/x.ko.xz
	Version string            // MODULE_VERSION, the first where there are more
	Exports map[string]uint32 // symbols it exports, with their CRCs
	Needs   map[string]uint32 // symbols it takes from elsewhere, with their CRCs
	// Undefined are the symbols that it takes from elsewhere, whether or not
	// it knows their CRCs; sorted.
	Undefined []string
	Alias     []string
	Firmware  []string
}

// ReadFacts reads the facts of the module file, which may be compressed and
// will be installed at path.
func ReadFacts(file, path string) (Facts, error) {
	m, err := ko.Open(file)
	if err != nil {
		return Facts{}, err
	}
	f := Facts{Path: path, Alias: m.Alias, Firmware: m.Firmware}
	if i := slices.IndexFunc(m.Info, func(i ko.Info) bool { return i.Tag == "version" }); i >= 0 {
		f.Version = m.Info[i].Value
	}
	if f.Exports, err = m.Exports(); err != nil {
		return Facts{}, err
	}
	if f.Needs, err = m.Versions(); err != nil {
		return Facts{}, err
	}
	f.Undefined, err = m.Undefined()
	return f, err
}
