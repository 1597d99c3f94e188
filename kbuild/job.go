package kbuild

import (
	"time"

	"github.com/dkms-hook/dkms-hook/kbuild/ko"
	"github.com/dkms-hook/dkms-hook/kbuild/probe"
)

// Job is everything that one build is told. All directories are absolute.
type Job struct {
	Recipe Recipe
	Kernel Kernel

	// Source is the directory with the package's source. It is copied and
	// never written to.
	Source string
	// SourceAliases are canonical paths of the source, such as
	// /usr/src/NAME-VER, over which the private copy is bound as well, because
	// some packages build in there. Those that do not exist are passed over.
	SourceAliases []string
	// Build is the canonical TREE/NAME/VER/build, which dkms.conf files and
	// Makefiles name. It exists; what is in it does not matter.
	Build string
	// Stage is the canonical TREE/NAME/VER/RELEASE/ARCH, where POST_BUILD
	// looks for the modules. It exists.
	Stage string
	// ViewOnly has a build fail that gets no view of its own, where others of
	// the package are under way, which it would disturb in place.
	ViewOnly bool
	// Scratch is an empty private directory on the tree's file system. Build
	// makes build/, stage/, bin/ and make.log in it and leaves them there.
	Scratch string
	// EtcDir is /etc/dkms: NAME/patches/ and NAME/SCRIPT in it win over what
	// the source has.
	EtcDir string
	// Depends are the packages of BUILD_DEPENDS that have been built.
	Depends []Depend
	// Env is what build_environment adds to the environment, NAME=VALUE each.
	Env []string
	// Timeout is how long a command may print nothing; 0 is for ever.
	Timeout time.Duration
	// Signer signs the modules; nil leaves them unsigned.
	Signer *ko.Signer
	// Compress are the options of the compressors.
	Compress ko.CompressOptions
	// Jobserver has the build share its jobs with others, and try again where
	// that may help. With nil the make command is run as it is, once.
	Jobserver Jobserver
	// Probes remembers what compilers answer to kernels' makefiles; with nil
	// they are asked each time.
	Probes *probe.Memory
	// CompilerCache is a program such as ccache that goes before the compilers
	// of PATH; empty is none. It has to run the next program of the name by
	// which it is called.
	CompilerCache string
	// Cache is asked first, and keeps what was built; nil is none.
	Cache Cache
	// Verbose has the environment of the build go to the log.
	Verbose bool
	// Progress is told of each line that the commands print; nil is allowed.
	Progress func(line string)
}

// Depend is a built package that another one depends on.
type Depend struct {
	Name    string
	Symvers string // path of its Module.symvers
}

// Result is what a build that succeeded has to show.
type Result struct {
	// Stage is Scratch/stage, durable on disk: module/*.ko[.gz|.xz|.zst],
	// module/Module.symvers when there is one, log/make.log, and what
	// POST_BUILD wrote.
	Stage    string
	Modules  []BuiltModule
	Warnings []string // one line each, without the name of the package
	Phases   []Phase  // in order; those of each try
	Cached   bool     // nothing was compiled: the Cache had it
	Retries  []Retry  // tries that failed before the one that did not, in order
	// Spent is the processor time of the package's commands, in the try that did
	// not fail. It hardly depends on what else the machine does.
	Spent time.Duration
}

// add notes when a phase was and how long it took, if that is worth it.
func (r *Result) add(phase string, began time.Time, took time.Duration) {
	if took >= time.Millisecond {
		r.Phases = append(r.Phases, Phase{phase, began, took})
	}
}

// BuiltModule is one module in a Result's stage.
type BuiltModule struct {
	Module
	File       string // name in module/, such as it87.ko.xz
	Hash       string // SHA-256 of the file, in hexadecimal
	Version    string // MODULE_VERSION
	SrcVersion string // checksum of the sources, from modpost
}

// Phase is a part of a build, when it began and how long it took.
type Phase struct {
	Name     string // one of the Phase constants
	Began    time.Time
	Duration time.Duration
}

// The phases of a build, in order.
const (
	PhaseCopy      = "copy"
	PhaseWait      = "wait" // for a slot of the Jobserver, between the others
	PhasePatch     = "patch"
	PhasePreBuild  = "pre-build"
	PhaseMake      = "make"
	PhaseVerify    = "verify"
	PhaseStrip     = "strip"
	PhaseKeep      = "keep" // in the Cache
	PhaseSign      = "sign"
	PhaseCompress  = "compress"
	PhasePostBuild = "post-build"
	PhaseSync      = "sync"
)
