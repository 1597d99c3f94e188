package pkgfmt

import (
	"io/fs"
	"time"
)

// A Package is one distribution package as it will be written. What differs
// between the formats, such as the syntax of relations, is in the format's own
// words already; write.Package translates nothing.
type Package struct {
	Format Format
	// Name is the package's name, as DebName or RPMName made it.
	Name    string
	Version Version
	// Arch is in the format's words: all, amd64; noarch, x86_64.
	Arch string

	Summary     string // one line, no full stop
	Description string // paragraphs separated by empty lines; neither wrapped nor indented
	License     string // an SPDX expression
	Homepage    string
	Maintainer  string // NAME <ADDRESS>
	Vendor      string // RPM only
	Section     string // Debian's section; RPM's group
	// Time is that of everything in the package, and of the package itself.
	Time time.Time

	Relations Relations
	// Fields are further fields of a Debian control file, such as Multi-Arch.
	Fields map[string]string

	// Scripts are the texts that the package manager runs, by the format's own
	// names: preinst, postinst, prerm, postrm (deb-postinst(5)); pretrans,
	// pre, post, preun, postun, posttrans (rpm-scriptlets(7)). Each is for
	// /bin/sh; a Debian one begins with #!/bin/sh.
	Scripts map[string]string
	// Triggers are the lines of a Debian triggers file, deb-triggers(5).
	Triggers []string
	// FileTriggers are transaction file triggers of RPM.
	FileTriggers []FileTrigger

	// Files are sorted by Path, none twice.
	Files []File
	// Changes are the changelog, newest first.
	Changes []Change
	// Compression is that of the payload; the zero value is the format's usual one.
	Compression Compression
}

// Version is a version in both formats' words: epoch 0 is none. Revision is
// Debian's revision, where it may be empty, and RPM's release, where it may not.
type Version struct {
	Epoch    int
	Upstream string
	Revision string
}

// Relations are what a package says of others, each in the format's syntax:
// `kmod (>= 30)`, `kmod >= 30`. An empty list is left out.
type Relations struct {
	Depends     []string // RPM: Requires
	Recommends  []string
	Suggests    []string
	Conflicts   []string
	Breaks      []string // Debian only
	Replaces    []string // RPM: Obsoletes
	Provides    []string
	Enhances    []string
	Supplements []string // RPM only
	// ForScripts are what the scripts call, so that it must be there before
	// they run: RPM's Requires(pre,post,preun,postun). Debian has Depends.
	ForScripts []string
}

// A FileTrigger is %transfiletriggerin or %transfiletriggerpostun: Script is
// run at the end of a transaction that touched paths below Prefixes.
type FileTrigger struct {
	On       TriggerOn
	Prefixes []string
	Script   string
}

// TriggerOn says what fires a FileTrigger.
type TriggerOn int

// The occasions: files came, files are about to go, files went.
const (
	OnInstall TriggerOn = iota
	OnRemoval
	AfterRemoval
)

// A File is one path that a package brings. All belong to root.
type File struct {
	Path string // absolute, clean, on the machine that installs it
	Kind FileKind
	Mode fs.FileMode // permission bits only
	// Source is a regular file on this machine that has the bytes; when it is
	// empty, Data has them.
	Source string
	Data   []byte
	Size   int64  // bytes of Source; 0 for Data
	Target string // of a Link
}

// FileKind says what a File is, and how a package manager treats it.
type FileKind int

// The kinds of files.
const (
	Regular   FileKind = iota
	Config             // a conffile; RPM: %config(noreplace)
	Directory          // there without anything in it
	Link               // a symbolic link
	Doc                // RPM: %doc, may be left out of an installation
	Licence            // RPM: %license
	Ghost              // RPM: owned but not brought
)

// A Change is an entry of a changelog.
type Change struct {
	Version Version
	Time    time.Time
	Author  string // NAME <ADDRESS>
	Lines   []string
}

// Compression is how a payload is compressed.
type Compression struct {
	// Algorithm is gzip, xz, zstd or none.
	Algorithm string
	// Level is the algorithm's own; 0 is its usual one.
	Level int
}
