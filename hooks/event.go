package hooks

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Event is something that happened on the machine and that an installed script
// tells us of: `dkms-hook hook NAME ARGUMENT…`. docs/events.md says for each who
// calls, and what is done.
type Event struct {
	Name string
	Args string // what it is given

	least int // arguments that must be there
	// always has the event be heeded although /etc/dkms/no-autoinstall exists.
	always bool
	// words names the arguments that are to be names, by what they name.
	words []string
	run   func(*run, []string) error
}

// Events lists what may be told.
func Events() []Event {
	return []Event{
		{Name: "kernel-preinst", Args: "KERNEL [IMAGE]", least: 1, words: kernelWord, run: (*run).onKernelPreinst},
		{Name: "kernel-postinst", Args: "KERNEL [IMAGE]", least: 1, words: kernelWord, run: (*run).onKernelPostinst},
		{Name: "kernel-prerm", Args: "KERNEL [IMAGE]", least: 1, words: kernelWord, always: true, run: (*run).onKernelPrerm},
		{Name: "headers-postinst", Args: "KERNEL", least: 1, words: kernelWord, run: (*run).onHeaders},
		{Name: "kernel-install", Args: "add|remove KERNEL [ENTRY_DIR [IMAGE …]]", least: 2, words: []string{"command", "kernel release"}, always: true, run: (*run).onKernelInstall},
		{Name: "package-postinst", Args: "NAME VERSION [TARBALL_DIR [ARCH [OLD_VERSION]]]", least: 2, words: []string{"module name", "module version"}, always: true, run: (*run).onPackage},
		{Name: "dpkg-configure", Args: "[OLD_VERSION]", run: (*run).onTransaction},
		{Name: "dpkg-triggered", Args: "[TRIGGERS]", run: (*run).onTransaction},
		{Name: "rpm-trigger", run: (*run).onTransaction},
		{Name: "boot", run: (*run).onBoot},
		{Name: "autoinstaller", Args: "start [KERNEL]", least: 1, words: []string{"command", "kernel release"}, run: (*run).onAutoinstaller},
	}
}

var kernelWord = []string{"kernel release"}

// check finds what is wrong with the arguments.
func (e Event) check(args []string) error {
	if len(args) < e.least {
		return &dkms.Error{Kind: dkms.Usage, Object: "hook " + e.Name, Problem: "too few arguments", Hint: "expected: " + e.Args}
	}
	for i, what := range e.words[:min(len(e.words), len(args))] {
		if err := dkms.CheckWord(what, args[i]); err != nil {
			return &dkms.Error{Kind: dkms.Usage, Object: "hook " + e.Name, Problem: err.Error(), Hint: "expected: " + e.Args}
		}
	}
	return nil
}

// hook carries out one event. What goes wrong is told, and recorded, but by
// policy does not become the caller's failure, which would leave packages half
// configured or a kernel without initramfs.
func (r *run) hook() error {
	if len(r.call.Operands) == 0 {
		return &dkms.Error{Kind: dkms.Usage, Object: "hook", Problem: "no event given", Hint: "dkms-hook hook is for installed scripts"}
	}
	name, args := r.call.Operands[0], r.call.Operands[1:]
	for _, e := range Events() {
		if e.Name != name {
			continue
		}
		if err := e.check(args); err != nil {
			return err
		}
		if !e.always && system.Exists(switchOff) {
			return nil
		}
		return r.byPolicy(e.run(r, args))
	}
	return &dkms.Error{Kind: dkms.Usage, Object: name, Problem: "unknown event"}
}

// byPolicy decides what of err the caller of an event gets to know.
func (r *run) byPolicy(err error) error {
	switch {
	case err == nil, dkms.KindOf(err) == dkms.Busy && r.ctx.Err() == nil:
		return nil // a run that holds the lock has called us, and will see to it
	case r.ctx.Err() != nil: // a person wants it to end: no result to defer
		return err
	case r.policy() == conf.Fail:
		return err
	}
	r.console.Problem(err)
	return nil
}

// tolerant reports whether this is an event whose caller does not get to know
// what fails.
func (r *run) tolerant() bool { return r.event != "" && r.policy() != conf.Fail }

// policy is on_failure of framework.conf. By default a live machine's
// transactions succeed; who makes an image from outside wants to know.
func (r *run) policy() conf.Policy {
	switch {
	case r.machine.Framework.OnFailure != "":
		return r.machine.Framework.OnFailure
	case r.call.Root != "":
		return conf.Fail
	}
	return conf.Defer
}

// onKernelPreinst: the modules of a kernel that is replaced by one of the same
// name stay in place until they have been built again. On a first install, what
// was built from headers that came before the image is good.
func (r *run) onKernelPreinst(args []string) error {
	if word, _, _ := strings.Cut(os.Getenv("DEB_MAINT_PARAMS"), " "); word == "install" {
		return nil
	}
	r.call.Kernels = args[:1]
	return r.kernelPreinst()
}

func (r *run) onKernelPostinst(args []string) error {
	r.call.Kernels = args[:1]
	r.callerMakesInitramfs = true
	return r.kernelCame("kernel " + args[0] + " was installed")
}

// kernelCame makes the call's kernels match.
func (r *run) kernelCame(why string) error {
	ids, err := r.call.Targets()
	if err != nil {
		return err
	}
	for _, id := range ids {
		r.machine.Tree.MarkBack(id.Release)
	}
	return r.reconcile(ids, why)
}

func (r *run) onKernelPrerm(args []string) error {
	r.call.Kernels = args[:1]
	r.callerMakesInitramfs = true // or rather, removes it
	r.result = io.Discard
	return r.kernelPrerm()
}

func (r *run) onHeaders(args []string) error {
	if r.registry.Enqueue(r.ctx, false) {
		return nil
	}
	r.call.Kernels = args[:1]
	ids, err := r.call.Targets()
	if err != nil {
		return err
	}
	if k, err := r.machine.Kernel(ids[0]); err == nil && r.machine.Tree.WasRemoved(k.Release) {
		return nil
	}
	return r.kernelCame("headers for " + args[0] + " were installed")
}

func (r *run) onKernelInstall(args []string) error {
	switch args[0] {
	case "add":
		if system.Exists(switchOff) {
			return nil
		}
		return r.onKernelPostinst(args[1:])
	case "remove":
		// Only one kind of boot entry goes; the kernel stays.
		if os.Getenv("KERNEL_INSTALL_BOOT_ENTRY_TYPE") != "" {
			return nil
		}
		return r.onKernelPrerm(args[1:])
	}
	return nil
}

func (r *run) onTransaction([]string) error {
	ids, err := r.scope()
	if err != nil {
		return err
	}
	return r.reconcile(ids, autoYes)
}

func (r *run) onBoot([]string) error { return r.runningKernel("boot") }

// runningKernel makes the running kernel match. In a container or a chroot that
// is a kernel of another root, of which nothing is here.
func (r *run) runningKernel(why string) error {
	ids, err := r.call.Targets()
	if err != nil {
		return err
	}
	if k, err := r.machine.Kernel(ids[0]); err == nil && k.Vanished() {
		return nil
	}
	return r.reconcile(ids, why)
}

func (r *run) onAutoinstaller(args []string) error {
	if args[0] != "start" {
		return nil
	}
	if len(args) == 1 {
		return r.runningKernel(autoYes)
	}
	r.call.Kernels = args[1:2]
	return r.kernelCame(autoYes)
}

// onPackage: a package's files are in place.
func (r *run) onPackage(args []string) error {
	for len(args) < 3 {
		args = append(args, "")
	}
	p := dkms.Package{Name: args[0], Version: args[1]}
	if err := r.ensureRegistered(p, args[2]); err != nil {
		return err
	}
	if system.Exists(switchOff) {
		r.console.Notice(fmt.Sprintf("%s: registered; nothing is built, because %s exists", p, switchOff))
		return nil
	}
	if !r.buildsItself(p) {
		r.console.Notice(p.String() + ": registered; nothing is built, because its dkms.conf does not say AUTOINSTALL=yes")
		return nil
	}
	if r.registry.Enqueue(r.ctx, true) {
		r.console.Notice(p.String() + ": registered; modules are built at the end of this transaction")
		return nil
	}
	r.maker.Only = p.Name
	return r.onTransaction(nil)
}
