package read

import (
	"io/fs"
	"time"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// A Package is what a .deb or an .rpm says of itself. Its strings are as in the
// file, whoever prints them has to mind control characters: see Visible.
type Package struct {
	// Path is the file, as given to Open.
	Path string
	// Format is that of the file: a source package of RPM is pkgfmt.SourceRPM.
	Format  pkgfmt.Format
	Name    string
	Version pkgfmt.Version
	// Arch is in the format's words: all, amd64; noarch, x86_64.
	Arch string
	// IsSource tells that it is a source package, which nobody installs.
	IsSource bool

	Summary     string // one line
	Description string // as in the file, without the indentation of a .deb's
	License     string // a .deb has it in its copyright file, if at all
	Homepage    string
	Maintainer  string // RPM: the packager
	Vendor      string // RPM only
	Section     string // Debian's section; RPM's group
	// Source is the source package that it was built from; empty: not told.
	Source string
	// Compression is that of the files' contents: gzip, xz, zstd, bzip2, lzma
	// or none.
	Compression string
	// Time is when it was built.
	Time time.Time
	// Size is how many bytes the files have by the package's own account: the
	// sum over them for RPM, Installed-Size for a .deb, which is in blocks.
	Size int64

	// Fields are all fields of a .deb's control file, in order; nil for RPM.
	Fields []Field

	Relations []Relation
	Scripts   []Script
	Triggers  []Trigger
	// Files are all that it brings, sorted by Path, directories included; of
	// an RPM also ghosts, which it does not bring.
	Files []File
	// Change is the newest entry of its changelog; nil: none was found.
	Change *pkgfmt.Change

	// Signature is the first of Signatures in words, empty for none.
	Signature string
	// Signatures are those that are there. None has been verified.
	Signatures []Signature

	payload payload
}

// A Field is one field of a control file, with lines joined by "\n".
type Field struct{ Name, Value string }

// A Relation is what a package says of another one.
type Relation struct {
	// Kind is the format's word: Depends, Pre-Depends, Provides … of deb-control(5);
	// Requires, Provides, Conflicts, Obsoletes, Recommends, Suggests,
	// Supplements, Enhances, OrderWithRequires of RPM.
	Kind string
	// Text is one relation: `kmod (>= 30) | udev`, `kmod >= 30`, `(a if b)`.
	Text string
	// When are RPM's remarks as `rpm -q --requires -v` prints them, in that
	// order: pre, post, interp, rpmlib, auto, … manual is left out.
	When []string
}

// A Script is run by the package manager.
type Script struct {
	// Name is the format's: preinst, postinst, prerm, postrm, config
	// (deb-postinst(5)); pretrans, pre, post, preun, postun, posttrans,
	// preuntrans, postuntrans, verify (rpm-scriptlets(7)).
	Name string
	// Program runs Text: a .deb's from its first line; RPM's with arguments.
	// Without a Text it is run by itself, as by %post -p PROGRAM.
	Program string
	Text    string
}

// A Trigger is what else has the package manager run something.
type Trigger struct {
	// Kind is a directive of deb-triggers(5): interest-noawait, activate, …, or
	// RPM's name for the scriptlet: triggerin, filetriggerin, transfiletriggerin, …
	Kind string
	// Names are what it waits for: triggers, packages (`foo >= 1`), or the
	// beginnings of paths.
	Names []string
	// Program and Text are those of RPM, see Script.
	Program, Text string
	// Priority is that of RPM's file triggers; 1000000 is the usual one.
	Priority int64
}

// A File is one path in a package.
type File struct {
	// Path is absolute and clean; of a source RPM it is a name without a
	// directory.
	Path string
	// Mode has the type, too.
	Mode         fs.FileMode
	Size         int64 // bytes of a regular file
	Owner, Group string
	Time         time.Time
	// Target is that of a symbolic link.
	Target string
	// Link is the path that this one is another name of: a hard link. The
	// content is there.
	Link string
	// Digest is what the package says of the content, ALGORITHM:HEX; empty: nothing.
	Digest string

	Config    bool // a conffile; RPM: %config
	NoReplace bool // %config(noreplace)
	MissingOK bool // %config(missingok), %missingok
	Doc       bool // %doc
	Licence   bool // %license
	Readme    bool // %readme
	Ghost     bool // %ghost: owned, not brought
	Artifact  bool // %artifact
}

// Regular reports whether f has content of its own in the package.
func (f File) Regular() bool { return f.Mode.IsRegular() && f.Link == "" && !f.Ghost }

// A Signature is what an OpenPGP signature says of itself. Whether it is good
// has not been looked at.
type Signature struct {
	// Over is what was signed: "header" or "header and payload" of RPM; the
	// name of the member of a .deb, such as _gpgorigin.
	Over string
	// Algorithm is such as RSA/SHA256.
	Algorithm string
	// KeyID are the last 16 hexadecimal digits of the fingerprint of the key.
	KeyID string
	// Time is when it was made.
	Time time.Time
	// Problem tells why the fields above are empty.
	Problem string
}

// String returns "RSA/SHA256, key 0123456789abcdef, 2026-01-02 03:04:05 UTC".
func (s Signature) String() string {
	if s.Problem != "" {
		return s.Problem
	}
	text := s.Algorithm
	if s.KeyID != "" {
		text += ", key " + s.KeyID
	}
	if !s.Time.IsZero() {
		text += ", " + s.Time.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return text
}
