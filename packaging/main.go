package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/write"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// run makes the packages and prints their paths.
func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("packaging", flag.ContinueOnError)
	out := flags.String("o", "dist", "write the packages into `DIR`")
	version := flags.String("version", "", "the packages' `VERSION`, as tools/version prints it")
	programs := flags.String("programs", "bin", "the built programs are in `DIR`")
	source := flags.String("source", ".", "the project is in `DIR`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r, err := readRelease(*source, *programs, *version)
	if err != nil {
		return err
	}
	for _, o := range products {
		for _, f := range formats {
			p, err := r.pack(o, f)
			if err != nil {
				return err
			}
			path, err := write.Package(context.Background(), p, write.Options{Dir: *out})
			if err != nil {
				return err
			}
			fmt.Fprintln(stdout, path)
		}
	}
	return nil
}

// arches are what the programs are built for, in the words of each format.
var arches = map[pkgfmt.Format]string{pkgfmt.Deb: "amd64", pkgfmt.RPM: "x86_64"}

// pack returns a product's package of a format.
func (r release) pack(o product, format pkgfmt.Format) (pkgfmt.Package, error) {
	in := o.in[format]
	p := pkgfmt.Package{
		Format: format, Name: o.name, Version: pkgfmt.Version{Upstream: r.version}, Arch: arches[format], Time: r.time,
		Summary: o.summary, Description: o.description, Section: in.section, Relations: in.relations,
		License: "Apache-2.0", Homepage: homepage, Maintainer: maintainer, Vendor: project,
		Scripts: map[string]string{},
		// All that there is can read it; most of it is one program.
		Compression: pkgfmt.Compression{Algorithm: "xz", Level: 9},
	}
	switch format {
	case pkgfmt.Deb:
		p.Fields = map[string]string{"Multi-Arch": "foreign"}
	case pkgfmt.RPM:
		p.Version.Revision = "1"
		p.Summary = strings.ToUpper(p.Summary[:1]) + p.Summary[1:]
	}
	p.Changes = []pkgfmt.Change{{Version: p.Version, Time: r.time, Author: maintainer, Lines: newest(r.log)}}
	if in.events != nil {
		if err := in.events(&p); err != nil {
			return p, err
		}
	}
	var err error
	p.Files, err = r.files(o, format)
	return p, err
}
