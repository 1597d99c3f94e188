package call

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Call is a command as a person gave it, before anything is looked up.
type Call struct {
	Action          string
	Operands        []string // NAME/VER, a directory, a dkms.conf, an archive
	Module, Version string   // -m, -v

	Kernels, Arches            []string // -k, -a
	All, AllKernels            bool
	ConfFile                   string // -c
	KernelConfig, KernelSource string // --config, --kernelsourcedir
	TemplateKernel, Archive    string
	Directives                 []string // NAME=VALUE

	Force, ForceVersion   bool
	BinariesOnly          bool
	SourceOnly            bool
	NoDepmod              bool
	ModprobeOnInstall     bool
	RPMSafeUpgrade        bool
	SymlinkModules        bool
	DKMSTree, SourceTree  string
	InstallTree           string
	Jobs                  int // -1: not given, 0: no limit
	Root                  string
	Trace                 string // where to write what ran when; empty: nowhere
	HTML                  string // report: where to write a page
	Fix                   bool   // doctor: mend what is safe
	JSON                  bool
	Quiet, Verbose, Debug bool
	Compatible            bool // called as dkms: stdout holds what DKMS prints, nothing else
}

// Collective reports whether the call is about all packages rather than one.
func (c *Call) Collective() bool {
	switch c.Action {
	case "autoinstall", "kernel_postinst", "kernel_prerm", "sync", "match", "hook", "retry":
		return true
	}
	return false
}

// Event is what happened, for a call that tells of something; else empty.
func (c *Call) Event() string {
	switch {
	case c.Action == "hook" && len(c.Operands) > 0:
		return c.Operands[0]
	case c.Action == "register":
		return c.Action
	}
	return ""
}

// Named returns the package that -m, -v and NAME/VER operands spell; either
// part may be empty. Operands of other kinds are left to operand.go.
func (c *Call) Named() (dkms.Package, error) {
	p := dkms.Package{Name: c.Module, Version: c.Version}
	if name, version, ok := strings.Cut(c.Module, "/"); ok {
		p = dkms.Package{Name: name, Version: version}
		if c.Version != "" {
			p.Version = c.Version
		}
	}
	for _, part := range []struct{ what, word, given string }{{"module name", p.Name, c.Module}, {"module version", p.Version, cmp.Or(c.Version, c.Module)}} {
		if part.word == "" {
			continue
		}
		if err := checkPart(part.what, part.word, part.given); err != nil {
			return dkms.Package{}, err
		}
	}
	return p, nil
}

// checkPart is dkms.CheckElement for a part of what a person gave, which the error
// then shows whole.
func checkPart(what, word, given string) error {
	err := dkms.CheckElement(what, word)
	var e *dkms.Error
	if errors.As(err, &e) && word != given {
		e.Object = fmt.Sprintf("%s %q", what, given)
	}
	return err
}

// Exactly returns the package that the call names by -m, -v or NAME/VER, for
// actions that want nothing else; both parts are there.
func (c *Call) Exactly() (dkms.Package, error) {
	p, err := c.Spelled()
	if err != nil {
		return p, err
	}
	if p.Name == "" || p.Version == "" {
		return p, &dkms.Error{Kind: dkms.Incomplete, Object: c.Action, Problem: "name and version of the package are not both given",
			Hint: fmt.Sprintf("dkms %s NAME/VERSION", c.Action)}
	}
	return p, nil
}

// Spelled is like exactly, with either part left out at will.
func (c *Call) Spelled() (dkms.Package, error) {
	named := *c
	if len(c.Operands) > 1 {
		return dkms.Package{}, &dkms.Error{Kind: dkms.Usage, Object: strings.Join(c.Operands, " "), Problem: "one package at a time"}
	}
	if len(c.Operands) == 1 {
		if c.Module != "" && c.Module != c.Operands[0] && c.Module+"/"+c.Version != c.Operands[0] {
			return dkms.Package{}, &dkms.Error{Kind: dkms.Usage, Object: "-m " + c.Module + " and " + c.Operands[0], Problem: "name two packages"}
		}
		named.Module = c.Operands[0]
	}
	return named.Named()
}
