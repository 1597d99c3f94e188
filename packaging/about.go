package main

import "github.com/dkms-hook/dkms-hook/pkgfmt"

// What all our packages say of themselves.
const (
	project    = "dkms-hook"
	homepage   = "https://github.com/dkms-hook/dkms-hook"
	maintainer = "dkms-hook maintainers <dkms-hook@users.noreply.github.com>"
)

// formats are those that each product is made in.
var formats = []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM}

// products are what `make packages` makes.
var products = []product{hook, mkpkg}

// A product is one program with what belongs to it: a package in each format.
type product struct {
	name        string // also of the program
	path        string // of the program, on the machine that installs it
	summary     string // without a capital
	description string // paragraphs of at most 79 columns
	texts       []text
	links       map[string]string        // what each points to
	directories map[string]pkgfmt.Format // see completionDirectories
	docs        []string                 // files of docs, for /usr/share/doc/NAME
	in          map[pkgfmt.Format]dialect
}

// A dialect is what a product says in one format only.
type dialect struct {
	section   string
	relations pkgfmt.Relations
	// events adds scripts and triggers; nil adds none.
	events func(*pkgfmt.Package) error
}
