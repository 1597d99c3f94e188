package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/write"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// run makes both packages and prints their paths.
func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("packaging", flag.ContinueOnError)
	out := flags.String("o", "dist", "write the packages into `DIR`")
	version := flags.String("version", "", "the packages' `VERSION`, as tools/version prints it")
	program := flags.String("program", "bin/dkms-hook", "the built `FILE`")
	source := flags.String("source", ".", "the project is in `DIR`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r, err := readRelease(*source, *program, *version)
	if err != nil {
		return err
	}
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		p, err := r.pack(f)
		if err != nil {
			return err
		}
		path, err := write.Package(context.Background(), p, write.Options{Dir: *out})
		if err != nil {
			return err
		}
		fmt.Fprintln(stdout, path)
	}
	return nil
}

// A release is what the packages are made from.
type release struct {
	version string    // fits both formats
	time    time.Time // of everything in the packages
	program []byte    // the program, static
	licence []byte    // ours
	legal   []byte    // ours and those of what is linked
	log     []section // newest first
}

// versionWords is what both formats take for the version proper: Debian policy
// 5.6.12 without epoch and revision, and RPM's naming rules.
var versionWords = regexp.MustCompile(`^[0-9][A-Za-z0-9.+~]*$`)

func readRelease(source, program, version string) (release, error) {
	r := release{version: version}
	if !versionWords.MatchString(version) {
		return r, fmt.Errorf("version %q: begins with no digit, or has other characters than letters, digits and .+~", version)
	}
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return r, fmt.Errorf("SOURCE_DATE_EPOCH: is no number of seconds: %w", err)
	}
	r.time = time.Unix(seconds, 0).UTC()
	if r.program, err = os.ReadFile(program); err != nil {
		return r, err
	}
	if r.licence, err = os.ReadFile(filepath.Join(source, "LICENSE")); err != nil {
		return r, err
	}
	text, err := os.ReadFile(filepath.Join(source, "CHANGELOG.md"))
	if err != nil {
		return r, err
	}
	r.log = readLog(string(text))
	linked, err := linkedModules(bytes.NewReader(r.program))
	if err != nil {
		return r, fmt.Errorf("%s: %w", program, err)
	}
	r.legal, err = legal(source, linked)
	return r, err
}

// pack returns the package of a format.
func (r release) pack(format pkgfmt.Format) (pkgfmt.Package, error) {
	version := pkgfmt.Version{Upstream: r.version}
	p := pkgfmt.Package{
		Format: format, Name: name, Version: version, Time: r.time,
		Description: description, License: "Apache-2.0", Homepage: homepage, Maintainer: maintainer, Vendor: name,
		Scripts: map[string]string{},
		// All that there is can read it; most of it is one program.
		Compression: pkgfmt.Compression{Algorithm: "xz", Level: 9},
	}
	as := r.asDeb
	if format == pkgfmt.RPM {
		as = r.asRPM
	}
	err := as(&p)
	if err != nil {
		return p, err
	}
	p.Changes = []pkgfmt.Change{{Version: p.Version, Time: r.time, Author: maintainer, Lines: newest(r.log)}}
	p.Files, err = r.files(format)
	return p, err
}
