package plan

import "github.com/dkms-hook/dkms-hook/internal/dkms"

// Want is what the machine shall have. Everything that a person types and
// everything that an event asks for becomes one.
type Want struct {
	Targets []Target

	// NoDepmod leaves out the Depmod steps (--no-depmod).
	NoDepmod bool
	// Initramfs has a kernel's initial RAM file system looked at after its
	// modules have changed.
	Initramfs bool
	// PostTransaction tells that framework.conf(5) has a post_transaction, to
	// be run once after everything else if a kernel's modules change.
	PostTransaction bool
}

// Target is one package that shall have come as far as Goal for one kernel.
//
// With an empty KernelID it is about the package itself: Goal Added registers
// it; with Lower it is about every kernel that the package is built for.
type Target struct {
	Ref  dkms.Ref
	Goal dkms.State // Absent, Added, Built or Installed

	// Lower makes Goal the most that shall be left, not the least: uninstall
	// is Built, unbuild is Added, remove is Absent (Absent always lowers).
	// remove also unregisters the package when no other kernel is left.
	Lower bool

	Depends        []string // names in BUILD_DEPENDS
	DependsRebuild bool     // BUILD_DEPENDS_REBUILD=yes

	// Force redoes the last step towards Goal (Build or Install) although it
	// is done, goes on when a dependency is missing and, with Lower, when the
	// source is broken.
	Force bool
	// Why is the event in words: "asked for", "kernel 6.1.0-56-amd64 was installed".
	Why string
	// Exclusive names resources that the build must not share, such as a build
	// directory used in place. They become Step.Holds.
	Exclusive []string
	// NotReady, if set, says why nothing can be done: excluded by rule, invalid
	// dkms.conf, headers missing. It becomes the target's note; a Reason of
	// PendingHeaders stands in the way of a build only.
	NotReady *Note
}

// lowers reports the direction of t.
func (t Target) lowers() bool { return t.Lower || t.Goal == dkms.Absent }
