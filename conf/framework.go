package conf

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// When is the answer of try_sign_modules and of initrd.
type When string

// The values of try_sign_modules, where anything else means NotInChroot, and of
// initrd.
const (
	Always      When = "true"
	Never       When = "false"
	NotInChroot When = "not_in_chroot" // try_sign_modules
	Auto        When = "auto"          // initrd: if it holds the module, or the package asks
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

// DefaultTree is the DKMS tree where nothing else is said.
const DefaultTree = "/var/lib/dkms"

// Framework is framework.conf, dkms(8) section DKMS_FRAMEWORK.CONF, with our
// own settings. A string that nobody set is empty, unless a default is named.
type Framework struct {
	SourceTree  string // source_tree; default /usr/src
	DKMSTree    string // dkms_tree; default /var/lib/dkms
	InstallTree string // install_tree; default /lib/modules

	Verbose               bool // verbose
	SymlinkModules        bool // symlink_modules
	AutoinstallAllKernels bool // autoinstall_all_kernels; default yes: every kernel, not only the running and the newest
	ModprobeOnInstall     bool // modprobe_on_install
	WeakModules           bool // weak_modules, ours; default no

	TrySignModules When   // try_sign_modules; default NotInChroot
	OnFailure      Policy // on_failure, ours; empty when nobody set it
	Initrd         When   // initrd, ours: Always, Never or, by default, Auto

	// ParallelJobs is parallel_jobs: -1 when nobody set it, 0 for no limit.
	ParallelJobs int
	// BuildTimeout is build_timeout, ours: how long a build may print
	// nothing; default 30 minutes, 0 is for ever.
	BuildTimeout time.Duration

	// CompilerCache is compiler_cache, ours: a program such as ccache that goes
	// before the compilers.
	CompilerCache string
	// ProbeMemory is probe_memory, ours: what compilers answer to kernels'
	// makefiles is remembered; default yes.
	ProbeMemory bool

	// ModuleCache is module_cache, ours: how many bytes of built modules are
	// kept; default 1 GiB, 0 is none.
	ModuleCache int64

	// CompressGzip, CompressXz and CompressZstd are compress_*_opts, split
	// into words; nil when nobody set them.
	CompressGzip, CompressXz, CompressZstd []string

	// SignFile, MokSigningKey, MokCertificate, BuildEnvironment and
	// PostTransaction may contain $kernelver: ask For.
	SignFile, MokSigningKey, MokCertificate, BuildEnvironment, PostTransaction string
}

// LoadFramework reads etcDir/framework.conf and then
// etcDir/framework.conf.d/*.conf, later ones winning. The files are shell, as
// dkms.conf is, but only the settings above are taken from them: nothing they
// do to PATH or to other variables reaches us. Bad values are problems and
// leave the default in place; the error is for files that cannot be read.
func LoadFramework(ctx context.Context, etcDir string) (Framework, []Problem, error) {
	f := Framework{
		SourceTree: "/usr/src", DKMSTree: DefaultTree, InstallTree: "/lib/modules",
		AutoinstallAllKernels: true, TrySignModules: NotInChroot, Initrd: Auto, ParallelJobs: -1, BuildTimeout: 30 * time.Minute, ProbeMemory: true, ModuleCache: 1 << 30,
	}
	main := filepath.Join(etcDir, "framework.conf")
	files, err := filepath.Glob(filepath.Join(etcDir, "framework.conf.d", "*.conf"))
	if err != nil {
		return f, nil, err
	}
	slices.Sort(files)
	// $kernelver stands for itself until For is asked.
	e := newEvaluation(Request{File: main, Jobs: -1, Trees: Trees{DKMS: f.DKMSTree, Source: f.SourceTree, Install: f.InstallTree}},
		kbuild.Kernel{KernelID: dkms.KernelID{Release: "${kernelver}"}})
	defer e.close()
	ctx, cancel := context.WithTimeout(ctx, 3*e.timeout)
	defer cancel()
	for _, file := range append([]string{main}, files...) {
		text, ok, err := readFile(file)
		if err != nil {
			return f, nil, fmt.Errorf("%s: %w", file, err)
		}
		if !ok {
			continue
		}
		if e.runner == nil {
			if err := e.start(); err != nil {
				return f, nil, err
			}
		}
		if err := e.run(ctx, file, text); err != nil {
			return f, nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	if e.runner == nil {
		return f, nil, nil
	}
	problems := f.decode(e)
	return f, inOrder(append(append(e.warnings, e.problems...), problems...)), nil
}

// decode takes the settings over.
func (f *Framework) decode(e *evaluation) (problems []Problem) {
	for _, s := range f.settings() {
		value, ok := e.variables([]string{s.name})[s.name][0]
		if !ok {
			continue
		}
		if err := s.set(value); err != nil {
			problems = append(problems, e.where.problem(e.request.File, s.name, "0", fmt.Sprintf("%s=%q: %v", s.name, value, err)))
		}
	}
	return problems
}

// A setting is a name in framework.conf and how its value is read.
type setting struct {
	name string
	set  func(value string) error
}

func (f *Framework) settings() []setting {
	return []setting{
		{"source_tree", directory(&f.SourceTree)},
		{"dkms_tree", directory(&f.DKMSTree)},
		{"install_tree", directory(&f.InstallTree)},
		{"verbose", truth(&f.Verbose)},
		{"symlink_modules", truth(&f.SymlinkModules)},
		{"autoinstall_all_kernels", func(s string) error {
			if s == "" {
				return nil // as DKMS's own file has it, in a comment or not
			}
			return truth(&f.AutoinstallAllKernels)(s)
		}},
		{"modprobe_on_install", truth(&f.ModprobeOnInstall)},
		{"weak_modules", truth(&f.WeakModules)},
		{"try_sign_modules", func(s string) error {
			f.TrySignModules = NotInChroot
			if s == string(Always) || s == string(Never) {
				f.TrySignModules = When(s)
			}
			return nil
		}},
		{"initrd", func(s string) error { return f.decodeInitrd(s) }},
		{"on_failure", func(s string) error { return oneOf(&f.OnFailure, s, "", Defer, Fail, Hold) }},
		{"parallel_jobs", func(s string) error { return count(&f.ParallelJobs, s) }},
		{"build_timeout", func(s string) error { return duration(&f.BuildTimeout, s) }},
		{"compiler_cache", func(s string) error { return programName(&f.CompilerCache, s) }},
		{"probe_memory", truth(&f.ProbeMemory)},
		{"module_cache", func(s string) error { return f.decodeModuleCache(s) }},
		{"compress_gzip_opts", words(&f.CompressGzip)},
		{"compress_xz_opts", words(&f.CompressXz)},
		{"compress_zstd_opts", words(&f.CompressZstd)},
		{"sign_file", text(&f.SignFile)},
		{"mok_signing_key", text(&f.MokSigningKey)},
		{"mok_certificate", text(&f.MokCertificate)},
		{"build_environment", text(&f.BuildEnvironment)},
		{"post_transaction", text(&f.PostTransaction)},
	}
}

func (f *Framework) decodeInitrd(s string) error {
	var yes bool
	switch err := truth(&yes)(s); {
	case s == "" || s == string(Auto):
		f.Initrd = Auto
	case err != nil:
		return errors.New("is none of yes, no and auto")
	case yes:
		f.Initrd = Always
	default:
		f.Initrd = Never
	}
	return nil
}

// decodeModuleCache reads a size, yes for the usual one, or no.
func (f *Framework) decodeModuleCache(s string) error {
	var yes bool
	switch {
	case s == "":
		return nil
	case truth(&yes)(s) != nil || s == "1":
		size, err := ParseSize(s)
		if err != nil {
			return err
		}
		f.ModuleCache = size
	case !yes:
		f.ModuleCache = 0
	}
	return nil
}

func text(field *string) func(string) error {
	return func(s string) error { *field = s; return nil }
}

// programName reads the name of a program, or its path.
func programName(field *string, s string) error {
	if strings.ContainsAny(s, " \t\n") || strings.Contains(s, "/") && !filepath.IsAbs(s) {
		return errors.New("is no program")
	}
	*field = s
	return nil
}

func words(field *[]string) func(string) error {
	return func(s string) error { *field = strings.Fields(s); return nil }
}

// directory reads an absolute path; nothing leaves the default.
func directory(field *string) func(string) error {
	return func(s string) error {
		switch {
		case s == "":
			return nil
		case !filepath.IsAbs(s):
			return errors.New("is not an absolute path")
		}
		*field = filepath.Clean(s)
		return nil
	}
}

// truth reads a yes or no in the ways that are seen. stock takes anything for
// yes, which makes verbose="0" one; we do not.
func truth(field *bool) func(string) error {
	return func(s string) error {
		switch strings.ToLower(s) {
		case "yes", "true", "1", "on", "y":
			*field = true
		case "no", "false", "0", "off", "n", "":
			*field = false
		default:
			return errors.New("is neither yes nor no")
		}
		return nil
	}
}

func oneOf(field *Policy, s string, allowed ...Policy) error {
	if !slices.Contains(allowed, Policy(s)) {
		return errors.New("is none of defer, fail and hold")
	}
	*field = Policy(s)
	return nil
}

func count(field *int, s string) error {
	if s == "" {
		return nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return errors.New("is not a number of jobs")
	}
	*field = n
	return nil
}

// duration reads 30m, 1h30m, or a bare number of seconds.
func duration(field *time.Duration, s string) error {
	if s == "" {
		return nil
	}
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		*field = time.Duration(n) * time.Second
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return errors.New("is not a time such as 30m or 90s")
	}
	*field = d
	return nil
}

// For returns f with $kernelver and ${kernelver} replaced by release in the
// settings that may contain it.
func (f Framework) For(release string) Framework {
	r := strings.NewReplacer("${kernelver}", release, "$kernelver", release)
	for _, field := range []*string{&f.SignFile, &f.MokSigningKey, &f.MokCertificate, &f.BuildEnvironment, &f.PostTransaction} {
		*field = r.Replace(*field)
	}
	return f
}
