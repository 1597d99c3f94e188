package templates

import "embed"

// Recipes are what people keep who build packages from their source: a
// dkms.conf, spec files, a debian/ directory. Each is a text/template.
//
//go:embed recipe
var Recipes embed.FS
