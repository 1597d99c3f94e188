package source

// Macros are what the C sources below a directory say of the modules.
type Macros struct {
	Version     string   // of MODULE_VERSION; empty when there is none, or several differ
	Description string   // of the first MODULE_DESCRIPTION
	Authors     []string // of MODULE_AUTHOR, none twice
	License     string   // an SPDX expression; empty: unknown
	Files       []FileMacros
}

// FileMacros are the macros of one C source; empty is what it does not say.
type FileMacros struct {
	Path        string // relative, with slashes
	Version     string // MODULE_VERSION
	Description string // MODULE_DESCRIPTION
	Authors     []string
	License     string // MODULE_LICENSE as it stands: GPL, GPL v2, Dual BSD/GPL
	SPDX        string // SPDX-License-Identifier
}

// ReadMacros reads the C sources below dir.
func ReadMacros(dir string) (Macros, error) { return Macros{}, nil }
