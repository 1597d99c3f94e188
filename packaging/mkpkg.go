package main

import "github.com/dkms-hook/dkms-hook/pkgfmt"

var mkpkg = product{
	name:    "dkms-mkpkg",
	path:    "/usr/bin/dkms-mkpkg",
	summary: "make .deb and .rpm packages of kernel modules",
	description: `Makes packages of a directory with a dkms.conf, for Debian and for Fedora and
their kin, on any of them and without their tools: of the source, which is
built where it is installed, or of modules that it has built for the kernels
that are named.

It also writes a dkms.conf, says what is wrong with one, and shows what is in
packages of modules, whoever made them.`,
	texts: []text{
		{path: "/usr/share/man/man1/dkms-mkpkg.1.gz", template: "man/dkms-mkpkg.1", kind: pkgfmt.Doc, mode: 0o644},
	},
	docs: []string{"mkpkg-tutorial.md", "mkpkg.md", "mkpkg-names.md", "mkpkg-yaml.md", "mkpkg-recipes.md", "dkms-conf.md", "parallel.md", "probes.md", "lint-rules.md", "inspect-json.md"},
	in: map[pkgfmt.Format]dialect{
		// Packages of a source take nothing but the program. Building modules
		// takes what the headers' own package does not bring.
		pkgfmt.Deb: {section: "devel", relations: pkgfmt.Relations{
			Recommends: []string{"binutils", "gcc | c-compiler", "make"},
			Suggests:   []string{"dkms-hook | dkms", "linux-headers-amd64 | linux-headers-generic | linux-headers", "patch"},
		}},
		pkgfmt.RPM: {section: "Development/Tools/Building", relations: pkgfmt.Relations{
			Recommends: []string{"binutils", "gcc", "make"},
			Suggests:   []string{"dkms", "kernel-devel", "patch"},
		}},
	},
}
