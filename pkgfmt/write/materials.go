package write

import (
	"fmt"
	"regexp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// Materials is what a package was made from and by what, for FILE.sbom.json and
// FILE.provenance.json. What is empty is left out. Nothing of it may depend on
// the machine's clock, on a directory's name or on who makes the package, or the
// same source will not give the same bytes.
type Materials struct {
	Builder    Builder
	Parameters map[string]string // what was asked for: "command", "abi", "kernel", …
	Source     SourceMaterial
	Kernel     *KernelMaterial // of a binary package
}

// A Builder is the program that makes packages.
type Builder struct {
	Name, Version string // dkms-mkpkg, and what it prints for --version
	Go            string // runtime.Version()
}

// SourceMaterial is the source of a module.
type SourceMaterial struct {
	Name, Version string // of the Package of DKMS
	SHA256        string // of names, modes and contents: source.Description.Hash
	Repository    string // a URL; empty: of no git repository
	Commit        string // SHA-1 or SHA-256 of git
	Tag           string // of that commit
	Dirty         bool   // the tree is not that of the commit
}

// KernelMaterial is the kernel that modules were built for.
type KernelMaterial struct {
	Release, Arch string
	// Config and Symvers are the SHA-256 of the kernel's .config and
	// Module.symvers.
	Config, Symvers string
	Compiler        string // as it names itself: gcc (Debian 12.2.0-14) 12.2.0
}

var hexSHA256 = regexp.MustCompile(`^[0-9a-f]{64}$`)

// check returns what cannot be told.
func (m *Materials) check() error {
	var l problems
	digest := func(what, s string) {
		if s != "" && !hexSHA256.MatchString(s) {
			l.add(what, "%q is no SHA-256 in hexadecimal", s)
		}
	}
	digest("hash of the source", m.Source.SHA256)
	if m.Kernel != nil {
		digest("hash of the kernel's configuration", m.Kernel.Config)
		digest("hash of the kernel's symbols", m.Kernel.Symvers)
	}
	if s := m.Source.Commit; s != "" && !regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`).MatchString(s) {
		l.add("commit", "%q is none of git", s)
	}
	return l.err()
}

// builderID is a URI that names the builder.
func (b Builder) id() string {
	return "https://github.com/dkms-hook/dkms-hook/" + b.name() + "@" + b.Version
}

func (b Builder) name() string {
	if b.Name == "" {
		return "dkms-mkpkg"
	}
	return b.Name
}

// A made package is one with the facts that only its file has.
type made struct {
	p        pkgfmt.Package
	fileName string
	sha256   string
	records  []record
}

// purl is the package's URL, github.com/package-url/purl-spec.
func (m made) purl() string {
	kind, arch := "rpm", m.p.Arch
	if m.p.Format == pkgfmt.Deb {
		kind = "deb"
	}
	if m.p.Format == pkgfmt.SourceRPM {
		arch = "src"
	}
	v := m.p.Version
	epoch := v.Epoch
	if kind == "rpm" { // there the epoch stands apart
		v.Epoch = 0
	}
	url := fmt.Sprintf("pkg:%s/%s@%s?arch=%s", kind, purlEscaped(m.p.Name), purlEscaped(versionOf(v)), arch)
	if kind == "rpm" && epoch > 0 {
		url += fmt.Sprintf("&epoch=%d", epoch)
	}
	return url
}
