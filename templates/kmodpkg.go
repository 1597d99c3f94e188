package templates

import "embed"

// KmodPackages are the scripts of packages of compiled modules, by format and
// ABI. In them stand @RELEASE@ for the kernel's, @NAME@ for the package's name,
// @MODULES@ for the modules' paths, one a line, @PATTERN@ for an extended
// regular expression that finds them in a list of files, and @REMAKE@ for
// `true` where the package wants an initial RAM file system in any case, else
// `false`.
//
//go:embed kmodpkg
var KmodPackages embed.FS
