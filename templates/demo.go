package templates

import "embed"

// Demo is the source of the sample package that `dkms-hook demo` builds, below
// the directory "demo".
//
//go:embed demo
var Demo embed.FS
