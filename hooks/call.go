package hooks

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
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
	Fix                   bool // doctor: mend what is safe
	JSON                  bool
	Quiet, Verbose, Debug bool
	Compatible            bool // called as dkms: stdout holds what DKMS prints, nothing else
}

// Action is one word that a person may say, with what it allows.
type Action struct {
	Name     string
	Usage    string
	Operands string // what it takes, as the help text shows it
	Help     string // what it does, in a sentence or two
	Hidden   bool   // for scripts only

	all       bool // --all means something, or is harmless
	oneKernel bool // at most one -k
	someK     bool // at least one -k
	ours      bool // not an action of DKMS
	// declarative: it compares what is with what should be
	declarative bool
	run         func(*run) error
}

// Actions lists the actions in the order of the help text; those that DKMS
// does not know are left out when compatible is set.
func Actions(compatible bool) []Action {
	var out []Action
	for _, a := range actions() {
		if !a.ours || !compatible {
			out = append(out, a)
		}
	}
	return out
}

func find(name string) (Action, bool) {
	all := actions()
	i := slices.IndexFunc(all, func(a Action) bool { return a.Name == name })
	if i < 0 {
		return Action{}, false
	}
	return all[i], true
}

// check finds what is wrong with the call before anything is looked at.
func (c *Call) check(a Action) error {
	kernels := len(c.Kernels)
	switch {
	case c.All && kernels > 0:
		return &dkms.Error{Kind: dkms.Usage, Object: "--all and -k", Problem: "exclude each other"}
	case c.All && len(c.Arches) > 0:
		return &dkms.Error{Kind: dkms.NotInTree, Object: "--all and -a", Problem: "exclude each other"}
	case c.All && !a.all:
		return &dkms.Error{Kind: dkms.AllNotAllowed, Object: a.Name, Problem: "does not take --all"}
	case a.oneKernel && kernels > 1, a.someK && kernels != 1:
		return &dkms.Error{Kind: dkms.OneActionOnly, Object: a.Name, Problem: "takes exactly one kernel", Hint: "give one -k"}
	case len(c.Arches) > 1 && len(c.Arches) != kernels, kernels > 1 && len(c.Arches) == 1 && a.oneKernel:
		return &dkms.Error{Kind: dkms.Incomplete, Object: "-a", Problem: fmt.Sprintf("%d architectures for %d kernels", len(c.Arches), kernels),
			Hint: "give one -a for each -k, or one for all"}
	case a.ours && a.Operands == "" && len(c.Operands) > 0:
		return &dkms.Error{Kind: dkms.Usage, Object: a.Name, Problem: "takes no operand: " + c.Operands[0]}
	case c.BinariesOnly && c.SourceOnly:
		return &dkms.Error{Kind: dkms.ConfInvalid, Object: "--binaries-only and --source-only", Problem: "exclude each other"}
	}
	if a.Name == "match" {
		return c.checkMatch()
	}
	return nil
}

func (c *Call) checkMatch() error {
	switch {
	case c.TemplateKernel == "":
		return &dkms.Error{Kind: dkms.Incomplete, Object: "match", Problem: "--templatekernel is missing"}
	case slices.Contains(c.Kernels, c.TemplateKernel):
		return &dkms.Error{Kind: dkms.Usage, Object: "match", Problem: "the template is the kernel itself: " + c.TemplateKernel}
	}
	return nil
}

// collective reports whether the call is about all packages rather than one.
func (c *Call) collective() bool {
	switch c.Action {
	case "autoinstall", "kernel_postinst", "kernel_prerm", "sync", "match", "hook", "retry":
		return true
	}
	return false
}

// event is what happened, for a call that tells of something; else empty.
func (c *Call) event() string {
	switch {
	case c.Action == "hook" && len(c.Operands) > 0:
		return c.Operands[0]
	case c.Action == "register":
		return c.Action
	}
	return ""
}

// named returns the package that -m, -v and NAME/VER operands spell; either
// part may be empty. Operands of other kinds are left to operand.go.
func (c *Call) named() (dkms.Package, error) {
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
