package source

import (
	"time"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// Options say what a reader of a source knows better than its files.
type Options struct {
	// Overrides win over everything: "name", "version" and "release".
	Overrides map[string]string
	// Config is a dkms-mkpkg.yaml; empty: DIR/dkms-mkpkg.yaml, if it is there.
	Config string
	// Now is the clock; nil is the machine's.
	Now func() time.Time
}

// A Description is a source, and what can be said of it in a package.
type Description struct {
	Dir string
	// DKMS is PACKAGE_NAME and PACKAGE_VERSION as they are registered:
	// /usr/src/NAME-VER.
	DKMS dkms.Package
	// Conf is the dkms.conf, evaluated for a made-up kernel.
	Conf *conf.Conf
	// Uses are the variables that the dkms.conf sets, directives among them, by
	// name: those that it sets for other kernels only are there, too.
	Uses map[string]bool

	// Name and UpstreamVersion are those of distribution packages, before they
	// are mapped to what a format allows; the name is without -dkms.
	Name, UpstreamVersion string
	Epoch                 int    // 0: none
	Release               string // empty unless it was set: none for Debian, 1 for RPM

	Summary, Description string
	License              string // an SPDX expression
	Homepage, Maintainer string
	Vendor, Section      string

	// Relations, and Scripts by their format's names, are those that
	// dkms-mkpkg.yaml adds to what every package has.
	Relations map[pkgfmt.Format]pkgfmt.Relations
	Scripts   map[pkgfmt.Format]map[string]string
	// Files are the source tree: paths are relative to it, sorted.
	Files []pkgfmt.File
	// Extra are further files, for a path on the machine each.
	Extra []pkgfmt.File
	// ExtraFormats are the formats of those of Extra that are not for both, by
	// path: see ExtraFor.
	ExtraFormats map[string]pkgfmt.Format
	// Licences are those of Files that are texts of licences, by path.
	Licences []string
	Changes  []pkgfmt.Change
	// Time is that of everything: SOURCE_DATE_EPOCH, or the source's own.
	Time time.Time
	// Hash is the SHA-256, in hexadecimal, of names, modes and contents.
	Hash     string
	Git      *Git // nil: not in a repository
	Kmod     Kmod
	Warnings []string // "object: problem"
}

// ExtraFor are those of Extra that a package of that format has.
func (d *Description) ExtraFor(f pkgfmt.Format) []pkgfmt.File {
	var out []pkgfmt.File
	for _, file := range d.Extra {
		if only, some := d.ExtraFormats[file.Path]; !some || only == f || only == pkgfmt.RPM && f == pkgfmt.SourceRPM {
			out = append(out, file)
		}
	}
	return out
}

// Git is the state of the repository that a source lies in.
type Git struct {
	Commit string // in hexadecimal
	Tag    string // of that commit; may be empty
	Remote string // URL without a password
	Dirty  bool   // files differ from the commit
}

// Kmod is what dkms-mkpkg.yaml says of packages of built modules.
type Kmod struct {
	ABI     string // exact, ksym or empty
	Kernels []string
}
