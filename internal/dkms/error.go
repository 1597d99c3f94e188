package dkms

import (
	"errors"
	"strings"
)

// Kind is what class of thing went wrong. internal/report maps each to its
// exit status; docs/exit-status.md is the table.
type Kind int

// The kinds. The comment gives the situation, not the number.
const (
	Unknown           Kind = iota
	NotAllowed             // not root, tree not writable
	Incomplete             // name or version missing or unsafe, -a and -k counts differ, match without template
	Usage                  // unknown option or action, -k with --all, template equals target
	SourceMissing          // nothing at /usr/src/NAME-VER; archive missing
	AlreadyAdded           // add of something that is in the tree
	NotInTree              // remove, unbuild, uninstall of something that is not there; -a with --all
	ArchiveNoConf          // archive has no dkms.conf
	ConfMissing            // dkms.conf not found; package is broken
	OneActionOnly          // more than one action, more than one kernel where one is allowed
	AllNotAllowed          // --all does not fit the action
	PatchMissing           // a patch is missing or its path has ..
	AlreadyInstalled       // where that is an error
	PatchFailed            // patch does not apply
	NoModuleDir            // kernel has no module directory
	ProvidedByKernel       // the kernel has the module in the same or a newer version
	NothingInstalled       // nothing could be installed; depmod failed and was rolled back; mktarball of something not built
	ModuleNotProduced      // a promised .ko is not there, or is not what was asked for
	ArchiveInvalid         // archive without a valid dkms.conf, or hostile
	ConfInvalid            // dkms.conf invalid; source directory empty; binaries-only with source-only
	DestNotWritable        // tarball destination not writable
	MakeFailed             // the make command failed
	AutoinstallFailed      // at least one package failed
	ArchUnknown            // architecture could not be determined
	DependsMissing         // BUILD_DEPENDS missing
	HookFailed             // kernel_preinst or kernel_prerm failed for some package
	KernelUnknown          // kernel could not be determined
	HeadersMissing         // no headers for the kernel
	Excluded               // BUILD_EXCLUSIVE_* leaves nothing to build
	ScriptRefused          // PRE_INSTALL said no
	ScriptFailed           // another script failed; Status holds its own exit status
	SigningFailed          // key pair incomplete, signer failed
	InitramfsFailed        // the initial RAM file system could not be made anew
	ModulesMissing         // check, doctor: something is missing, or odd
	ModulesStale           // check: something is stale or waits
	Busy                   // called from inside a run that is changing the tree, as by a package's script
	Interrupted            // ended by a signal
)

// Error is a problem as a person reads it: what it is about, what is wrong,
// and what to do next. No capitals, no full stops.
type Error struct {
	Kind    Kind
	Object  string // a Ref, a file with position, an option
	Problem string // "patch does not apply"
	Hint    string // what to do next, printed on a line of its own; may be empty
	Log     string // path of a log that tells more, printed like a hint; may be empty
	Status  int    // exit status of a script, for ScriptFailed
	Err     error  // the cause, printed after the problem; may be nil
}

// Error returns "object: problem" and, where there is one, ": cause".
func (e *Error) Error() string {
	parts := make([]string, 0, 3)
	for _, s := range []string{e.Object, e.Problem} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the outermost Error in err; Unknown where there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unknown
}
