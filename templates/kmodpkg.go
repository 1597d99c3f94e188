package templates

import "embed"

// KmodPackages are the scripts of packages of compiled modules, by format and
// ABI. In them stand @RELEASE@ for the kernel's, @DIR@ for the modules'
// directory, @MODULES@ for their paths, one a line, @NAMES@ for an extended
// regular expression of their names, and @REMAKE@ for `true` where the package
// wants its kernel's initial RAM file system made anew in any case, else
// `false`.
//
//go:embed kmodpkg
var KmodPackages embed.FS
