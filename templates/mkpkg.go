package templates

import "embed"

// SourcePackages are the scripts of packages of module sources: deb/ and rpm/
// what dpkg and rpm run, by their names for it; the others are shell functions
// that stand in them where a line says `# @NAME@`. What makes the packages puts
// the variables name, version, tree and autoinstall before them.
//
//go:embed mkpkg
var SourcePackages embed.FS
