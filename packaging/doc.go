// Packaging writes our own .deb and .rpm: `make packages`.
//
// Each program is a product: what its packages bring, what they ask of a
// machine, and what only one of the formats knows, is in hook*.go and mkpkg.go;
// what all products have, in contents.go. The texts and scripts are in
// templates, and pkgfmt/write makes the files. The same programs, version and
// time give the same bytes.
package main
