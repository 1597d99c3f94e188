package conf

import (
	"context"
	"time"
)

// When is the answer of try_sign_modules.
type When string

// The values of try_sign_modules; anything else means NotInChroot.
const (
	Always      When = "true"
	Never       When = "false"
	NotInChroot When = "not_in_chroot"
)

// Policy is what a failed build does to the package transaction that started
// it (on_failure).
type Policy string

// The policies: Defer reports and lets the transaction succeed, Fail fails it,
// Hold keeps the kernel from becoming the default.
const (
	Defer Policy = "defer"
	Fail  Policy = "fail"
	Hold  Policy = "hold"
)

// Framework is framework.conf, dkms(8) section DKMS_FRAMEWORK.CONF, with our
// own settings. A string that nobody set is empty, unless a default is named.
type Framework struct {
	SourceTree  string // source_tree; default /usr/src
	DKMSTree    string // dkms_tree; default /var/lib/dkms
	InstallTree string // install_tree; default /lib/modules
	TmpLocation string // tmp_location; default empty, which is $TMPDIR

	Verbose               bool // verbose
	SymlinkModules        bool // symlink_modules
	AutoinstallAllKernels bool // autoinstall_all_kernels
	ModprobeOnInstall     bool // modprobe_on_install
	ContinueOnError       bool // continue_on_error
	WeakModules           bool // weak_modules, ours; default no

	TrySignModules When   // try_sign_modules; default NotInChroot
	OnFailure      Policy // on_failure, ours; empty when nobody set it

	// ParallelJobs is parallel_jobs: -1 when nobody set it, 0 for no limit.
	ParallelJobs int
	// BuildTimeout is build_timeout, ours: how long a build may print
	// nothing; default 30 minutes, 0 is for ever.
	BuildTimeout time.Duration

	// CompressGzip, CompressXz and CompressZstd are compress_*_opts, split
	// into words; nil when nobody set them.
	CompressGzip, CompressXz, CompressZstd []string

	// SignFile, MokSigningKey, MokCertificate, BuildEnvironment and
	// PostTransaction may contain $kernelver: ask For.
	SignFile, MokSigningKey, MokCertificate, BuildEnvironment, PostTransaction string
}

// LoadFramework reads etcDir/framework.conf and then
// etcDir/framework.conf.d/*.conf, later ones winning. Bad values are problems
// and leave the default in place; the error is for files that cannot be read.
func LoadFramework(ctx context.Context, etcDir string) (Framework, []Problem, error) {
	return Framework{}, nil, nil
}

// For returns f with $kernelver and ${kernelver} replaced by release in the
// settings that may contain it.
func (f Framework) For(release string) Framework { return f }
