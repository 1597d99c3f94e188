package hooks

import (
	"fmt"
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/call"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

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
	json      bool // --json means something
	html      bool // --html does
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
func (a Action) check(c call.Call) error {
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
	if err := a.checkOutput(c); err != nil {
		return err
	}
	if a.Name == "match" {
		return checkMatch(c)
	}
	return nil
}

// checkOutput refuses to print otherwise than was asked for. dkms ignores what
// does not concern an action, and so do we when called so.
func (a Action) checkOutput(c call.Call) error {
	hint := "--help lists the actions and options"
	switch {
	case c.Compatible:
	case c.JSON && !a.json:
		return &dkms.Error{Kind: dkms.Usage, Object: a.Name, Problem: "does not take --json", Hint: hint}
	case c.HTML != "" && !a.html:
		return &dkms.Error{Kind: dkms.Usage, Object: a.Name, Problem: "does not take --html", Hint: hint}
	case c.JSON && c.HTML != "":
		return &dkms.Error{Kind: dkms.Usage, Object: "--json and --html", Problem: "exclude each other"}
	}
	return nil
}

func checkMatch(c call.Call) error {
	switch {
	case c.TemplateKernel == "":
		return &dkms.Error{Kind: dkms.Incomplete, Object: "match", Problem: "--templatekernel is missing"}
	case slices.Contains(c.Kernels, c.TemplateKernel):
		return &dkms.Error{Kind: dkms.Usage, Object: "match", Problem: "the template is the kernel itself: " + c.TemplateKernel}
	}
	return nil
}

// actions are all that a person may say, in the order of the help text.
func actions() []Action {
	return []Action{
		{Name: "add", Usage: "register a package", Operands: "NAME/VER | DIRECTORY | dkms.conf | ARCHIVE", run: (*run).add,
			Help: "Registers /usr/src/NAME-VER, or copies DIRECTORY or the content of ARCHIVE there first."},
		{Name: "build", Usage: "compile it for a kernel", Operands: "NAME/VER | DIRECTORY | dkms.conf | ARCHIVE", run: (*run).build,
			Help: "Compiles, verifies, strips, signs and compresses the modules for each -k, adding the package first if need be."},
		{Name: "install", Usage: "put the modules where the kernel finds them", Operands: "NAME/VER | DIRECTORY | dkms.conf | ARCHIVE", run: (*run).install,
			Help: "Copies the built modules into the kernel's module directory and runs depmod, adding and building first if need be."},
		{Name: "uninstall", Usage: "take the modules away from the kernel", Operands: "NAME/VER", all: true, run: (*run).uninstall,
			Help: "Removes what install has put there and puts the kernel's own modules back."},
		{Name: "unbuild", Usage: "uninstall, and forget what was built", Operands: "NAME/VER", all: true, run: (*run).unbuild,
			Help: "Removes the built modules from the tree too; the package stays registered."},
		{Name: "remove", Usage: "unbuild, and unregister the package", Operands: "NAME/VER", all: true, run: (*run).remove,
			Help: "Without --all only for the given kernel; the package is unregistered when no other kernel is left."},
		{Name: "status", Usage: "list packages, kernels and states", Operands: "[NAME[/VER]]", all: true, declarative: true, json: true, run: (*run).status,
			Help: "One line for each package and kernel, filtered by -m, -v, -k and -a. Called as dkms-hook it adds a line for each thing that has failed, is stale or retired, or waits, with the reason. Takes no lock."},
		{Name: "autoinstall", Usage: "install all that is AUTOINSTALL for a kernel", run: (*run).autoinstall, oneKernel: true,
			Help: "Installs the newest version of each registered package with AUTOINSTALL=yes, in the order of BUILD_DEPENDS."},
		{Name: "match", Usage: "install on one kernel what another has", Operands: "[NAME/VER]", oneKernel: true, run: (*run).match,
			Help: "Installs on -k what is installed on --templatekernel."},
		{Name: "mktarball", Usage: "pack a package into an archive", Operands: "NAME/VER", all: true, run: (*run).mktarball,
			Help: "Packs the source and the modules built for each -k, or for all that are built with --all."},
		{Name: "ldtarball", Usage: "load such an archive", Operands: "ARCHIVE", all: true, run: (*run).ldtarball,
			Help: "Registers the package in the archive and takes over its built modules."},
		{Name: "generate_mok", Usage: "make the key pair that signs modules", all: true, run: (*run).generateMOK,
			Help: "Makes the signing key and its certificate if both are missing."},
		{Name: "kernel_preinst", Usage: "for a kernel's hooks: it is about to be replaced", someK: true, oneKernel: true, run: (*run).kernelPreinst,
			Help: "Marks what is built for the kernel as stale, so that it is built again."},
		{Name: "kernel_postinst", Usage: "for a kernel's hooks: it has been installed", someK: true, oneKernel: true, run: (*run).autoinstall,
			Help: "Does what autoinstall does."},
		{Name: "kernel_prerm", Usage: "for a kernel's hooks: it is about to be removed", someK: true, oneKernel: true, run: (*run).kernelPrerm,
			Help: "Removes every package's modules for the kernel."},
		{Name: "plan", Usage: "show what sync would do, and why", ours: true, declarative: true, json: true, run: (*run).plan,
			Help: "Compares what is registered with what is installed, for each -k or for all kernels, and changes nothing."},
		{Name: "sync", Usage: "make it so", ours: true, declarative: true, run: (*run).sync,
			Help: "Installs the newest version of each registered package with AUTOINSTALL=yes, for each -k or for all kernels, and clears away what nothing wants any more."},
		{Name: "check", Usage: "is every module there for the next boot?", ours: true, declarative: true, json: true, run: (*run).check,
			Help: "Looks at every kernel that has an image, or at each -k. Exit status 0: all there; 1: something is missing; 2: something is stale or waits."},
		{Name: "retry", Usage: "try again what has failed", Operands: "[NAME[/VER]]", ours: true, declarative: true, run: (*run).retry,
			Help: "Forgets that builds have failed, for one package or for all, and makes all kernels, or each -k, match."},
		{Name: "doctor", Usage: "explain what is odd in the tree", ours: true, json: true, run: (*run).doctor,
			Help: "Explains each broken, half-written or foreign entry; with --fix mends what is safe to mend, and says what it did."},
		{Name: "cache", Usage: "show or remove the built modules that are kept", Operands: "[list | prune [SIZE]]", ours: true, json: true, run: (*run).cache,
			Help: "Lists what is kept of builds, so that nothing is compiled twice; prune removes what was used longest ago until SIZE is left, or all. module_cache in framework.conf limits it."},
		{Name: "report", Usage: "show what the last run did", ours: true, declarative: true, json: true, html: true, run: (*run).lastRun,
			Help: "A line for each thing that the last run did, and why what failed did; with --html a page of it, with the states as they are now, for people who would rather look than read."},
		{Name: "register", Usage: "for scriptlets of packages: it has been installed", Operands: "NAME/VER", ours: true, run: (*run).register,
			Help: "Registers the package, whatever was before. The run at the end of the transaction builds it."},
		{Name: "retire", Usage: "for scriptlets of packages: it is being replaced", Operands: "NAME/VER", ours: true, run: (*run).retire,
			Help: "Has the package go as soon as another version has taken its place on each kernel."},
		{Name: "hook", Usage: "for installed scripts: something has happened", Operands: "EVENT [ARGUMENT …]", ours: true, Hidden: true, declarative: true, run: (*run).hook,
			Help: "Does what the event asks for. By default it reports failures and ends with 0, so that no package is left half configured (on_failure in framework.conf)."},
		{Name: "demo", Usage: "build and install a sample module in a throw-away root", ours: true, run: (*run).demo,
			Help: "Shows the whole way of a module for a kernel whose headers are here, and leaves nothing behind."},
	}
}
