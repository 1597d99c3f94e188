// Packaging writes our own .deb and .rpm: `make packages`.
//
// What they bring is one list, in contents.go; what they ask of a machine, and
// what only one of the formats knows, is in deb.go and rpm.go. The texts and
// scripts are in templates, and pkgfmt/write makes the files. The same program,
// version and time give the same bytes.
package main
