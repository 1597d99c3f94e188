package conf

import (
	"context"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// Trees are the three directories that a dkms.conf knows: dkms_tree,
// source_tree and install_tree.
type Trees struct {
	DKMS    string // such as /var/lib/dkms
	Source  string // such as /usr/src
	Install string // such as /lib/modules
}

// A Request says what to evaluate and what it may know.
type Request struct {
	// Package is the name and version it is registered under. An empty
	// Version has PACKAGE_VERSION judged; Name and Version may both be empty
	// for a directory that is not registered yet.
	Package dkms.Package
	// File is the dkms.conf.
	File string
	// EtcDir holds overrides, NAME.conf and so on: "/etc/dkms". Empty: none.
	EtcDir string
	// Directives are NAME=VALUE, or NAME[INDEX]=VALUE; they win.
	Directives []string
	// Trees are what dkms_tree, source_tree and install_tree say.
	Trees Trees
	// Jobs is what parallel_jobs says and what -jN is made of; 0 is "no limit",
	// a bare -j.
	Jobs int
	// NoJobs leaves -jN out: make gets a jobserver instead.
	NoJobs bool
	// Programs are the names of the only external programs that the file may
	// start, nil: any. Others are not run, have exit status 127, and are a
	// warning. Those of Harmless run only in forms that write nothing. uname
	// is no external program: it answers with the kernel that is asked about.
	Programs []string
	// Timeout is how long one external command may run; 0 is 10 s.
	Timeout time.Duration
	// Shared is common to requests of one moment; nil: nothing is shared.
	Shared *Shared
}

// Conf is a dkms.conf, evaluated for one kernel.
type Conf struct {
	// PackageName and PackageVersion are PACKAGE_NAME and PACKAGE_VERSION as
	// the file has them, which need not be what it is registered under.
	PackageName, PackageVersion string
	// Raw are the values as bash holds them after the file was sourced.
	Raw Directives
	// Values are Raw after the second expansion.
	Values Directives
	// Warnings are what does not stop anything, such as deprecated directives.
	Warnings []Problem
	// Autoinstall, NoWeakModules, RebuildOnDepends, RemakeInitrd and
	// ModprobeOnInstall are the yes/no directives.
	Autoinstall, NoWeakModules, RebuildOnDepends, RemakeInitrd, ModprobeOnInstall bool
	// Depends are the names of BUILD_DEPENDS, in order.
	Depends []string
	// Modules are all modules, in order, the excluded ones included.
	Modules []kbuild.Module
	// PostAdd, PreInstall, PostInstall, PostRemove, PreBuild and PostBuild are
	// command lines, words separated by white space; empty means none.
	PostAdd, PreInstall, PostInstall, PostRemove, PreBuild, PostBuild string
	// Output is what the file printed on standard error, at most 64 KiB.
	Output string

	request Request
	where   positions
}

// Package returns the name and version: as registered, else as in the file.
func (c *Conf) Package() dkms.Package {
	p := c.request.Package
	if p.Name == "" {
		p.Name = c.PackageName
	}
	if p.Version == "" {
		p.Version = c.PackageVersion
	}
	return p
}

// Load evaluates a dkms.conf and its overrides for kernel k. The error is a
// *dkms.Error: ConfMissing when there is no file, ConfInvalid around an
// *Invalid with all problems. With ConfInvalid the Conf is there as well, as
// far as it could be decoded: removal must not fail on a bad dkms.conf.
func Load(ctx context.Context, r Request, k kbuild.Kernel) (*Conf, error) {
	e := newEvaluation(r, k)
	defer e.close()
	return e.load(ctx)
}
