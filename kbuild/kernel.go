package kbuild

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Kernel is one kernel on disk.
type Kernel struct {
	dkms.KernelID

	// ModuleDir is INSTALLTREE/RELEASE, such as /lib/modules/6.1.0-56-amd64.
	ModuleDir string
	// Source is the header directory that modules build against:
	// INSTALLTREE/RELEASE/build, or --kernelsourcedir. It is the path as
	// given, unresolved, because dkms.conf files print and compare it.
	Source string
	// ConfigFile is --config, or Source/.config, or Source/include/config/auto.conf.
	ConfigFile string
	// Config is the kernel's configuration; nil when there is no readable file.
	Config *Kconfig
	// Headers tells whether Source holds usable headers.
	Headers bool
	// Suffix is that of the kernel's own modules: .ko, .ko.gz, .ko.xz or .ko.zst.
	Suffix string
}

// KernelOptions say which kernel OpenKernel looks at, and where.
type KernelOptions struct {
	ID          dkms.KernelID
	InstallTree string // usually /lib/modules
	SourceDir   string // --kernelsourcedir; empty: INSTALLTREE/RELEASE/build
	ConfigFile  string // --config; empty: the one in the headers
}

// HostArch returns the architecture that packages are built for unless -a says
// otherwise: uname -m, word for word, since it is a directory in the tree.
func HostArch() (string, error) {
	_, machine, err := system.Uname()
	if err == nil {
		err = dkms.CheckWord("architecture", machine)
	}
	if err != nil {
		return "", &dkms.Error{Kind: dkms.ArchUnknown, Object: "architecture of this machine", Problem: "cannot be determined", Err: err,
			Hint: "name one with -a"}
	}
	return machine, nil
}

// kernelMarks are what a directory below the install tree has when it belongs
// to a kernel, and not just to modules that outlived one.
var kernelMarks = []string{"build", "source", "kernel", "modules.order", "modules.builtin", "modules.dep"}

// Releases returns the kernels on disk, those with a directory below
// installTree (/lib/modules), in version order. A missing installTree has
// none.
func Releases(installTree string) ([]string, error) {
	entries, err := os.ReadDir(installTree)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		dir := filepath.Join(installTree, e.Name())
		if dkms.CheckWord("kernel release", e.Name()) != nil || !system.IsDir(dir) {
			continue
		}
		if slices.ContainsFunc(kernelMarks, func(mark string) bool { return system.Exists(filepath.Join(dir, mark)) }) {
			out = append(out, e.Name())
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		return dkms.CompareKernels(dkms.KernelID{Release: a}, dkms.KernelID{Release: b})
	})
	return out, nil
}

// OpenKernel reads what is on disk of one kernel. That its headers are missing
// is no error, see Kernel.RequireHeaders; that a file named by
// KernelOptions.ConfigFile cannot be read is one.
func OpenKernel(o KernelOptions) (Kernel, error) {
	k := Kernel{KernelID: o.ID, ModuleDir: filepath.Join(o.InstallTree, o.ID.Release), Source: o.SourceDir, ConfigFile: o.ConfigFile}
	if k.Source == "" {
		k.Source = filepath.Join(k.ModuleDir, "build")
	}
	k.Headers = system.IsDir(filepath.Join(k.Source, "include"))
	if k.ConfigFile == "" {
		k.ConfigFile = findConfig(k.Source)
	}
	if k.ConfigFile != "" {
		var err error
		if k.Config, err = ReadKconfig(k.ConfigFile); err != nil && o.ConfigFile != "" {
			return Kernel{}, &dkms.Error{Kind: dkms.Usage, Object: "--config " + o.ConfigFile, Problem: "cannot be read", Err: err}
		}
	}
	k.Suffix = moduleSuffix(k.ModuleDir, k.Config)
	return k, nil
}

func findConfig(source string) string {
	for _, name := range []string{".config", "include/config/auto.conf"} {
		if path := filepath.Join(source, name); isRegular(path) {
			return path
		}
	}
	return ""
}

// Clang reports whether the kernel was compiled by clang.
func (k Kernel) Clang() bool { return k.Config.Set("CONFIG_CC_IS_CLANG") }

// HeaderRelease returns the release that the headers are of, which modules
// built against them get into their vermagic: UTS_RELEASE of
// include/generated/utsrelease.h, else include/config/kernel.release, which
// Debian fills with the upstream version. It is empty when the headers do not
// tell.
func (k Kernel) HeaderRelease() string {
	if text, err := os.ReadFile(filepath.Join(k.Source, "include/generated/utsrelease.h")); err == nil {
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) == 3 && f[0] == "#define" && f[1] == "UTS_RELEASE" {
				return strings.Trim(f[2], `"`)
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(k.Source, "include/config/kernel.release"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// RequireModuleDir returns an error of Kind NoModuleDir when the kernel has no
// directory for modules.
func (k Kernel) RequireModuleDir() error {
	if system.IsDir(k.ModuleDir) {
		return nil
	}
	return &dkms.Error{Kind: dkms.NoModuleDir, Object: k.Release, Problem: "the kernel has no module directory " + k.ModuleDir,
		Hint: "install the kernel " + k.Release + ", or name another with -k"}
}

// explicit reports whether Source was given by --kernelsourcedir.
func (k Kernel) explicit() bool { return k.Source != filepath.Join(k.ModuleDir, "build") }

// RequireHeaders returns nil when the kernel's headers are there, and else an
// error of Kind HeadersMissing that says which of the possible reasons it is.
func (k Kernel) RequireHeaders() error {
	if k.Headers {
		return nil
	}
	missing := func(object, problem, hint string) error {
		return &dkms.Error{Kind: dkms.HeadersMissing, Object: object, Problem: problem, Hint: hint}
	}
	install := headersHint(k.Release)
	if k.explicit() {
		return missing(k.Source, "holds no kernel headers (no include/ in it)", "name the headers of "+k.Release+" with --kernelsourcedir")
	}
	if target, err := os.Readlink(k.Source); err == nil && !system.IsDir(k.Source) {
		return missing(k.Source, "is a dangling link to "+target, install)
	}
	if system.IsDir(k.Source) {
		return missing(k.Source, "holds no kernel headers (no include/ in it)", install)
	}
	if here, err := Releases(filepath.Dir(k.ModuleDir)); err == nil && len(here) > 0 && !slices.Contains(here, k.Release) {
		return missing("kernel "+k.Release, "is not on this machine; kernels here: "+strings.Join(here, ", "), "name one of them with -k")
	}
	return missing("headers of "+k.Release, "not installed", install)
}

// moduleSuffix finds how the kernel's own modules are called, by one of them:
// .ko, .ko.gz, .ko.xz or .ko.zst. What the distribution did after the build
// counts, not the configuration, which is a hint for when no module is there.
func moduleSuffix(moduleDir string, config *Kconfig) string {
	for _, find := range []func(string) string{suffixFromDep, suffixFromOrder, suffixFromWalk} {
		if s := find(moduleDir); s != "" {
			return s
		}
	}
	for symbol, suffix := range map[string]string{
		"CONFIG_MODULE_COMPRESS_GZIP": ".ko.gz", "CONFIG_MODULE_COMPRESS_XZ": ".ko.xz", "CONFIG_MODULE_COMPRESS_ZSTD": ".ko.zst",
	} {
		if config.Set(symbol) {
			return suffix
		}
	}
	return ".ko"
}

// suffixes are the longest first, for strings.HasSuffix.
var suffixes = []string{".ko.zst", ".ko.gz", ".ko.xz", ".ko"}

func suffixOf(name string) string {
	for _, s := range suffixes {
		if strings.HasSuffix(name, s) {
			return s
		}
	}
	return ""
}

// indexLines is how many entries of an index are looked at: entries of kernel/
// come in one piece, but modules of other places may stand before them.
const indexLines = 20000

// suffixFromDep reads depmod's index (modules.dep(5)): "path: needs…".
func suffixFromDep(moduleDir string) string {
	return fromIndex(filepath.Join(moduleDir, "modules.dep"), func(line string) string {
		path, _, _ := strings.Cut(line, ":")
		if !strings.HasPrefix(path, "kernel/") || !system.Exists(filepath.Join(moduleDir, path)) {
			return ""
		}
		return suffixOf(path)
	})
}

// suffixFromOrder tries the names that kbuild left, which are never compressed.
func suffixFromOrder(moduleDir string) string {
	tries := 0
	return fromIndex(filepath.Join(moduleDir, "modules.order"), func(line string) string {
		base := strings.TrimSuffix(strings.TrimSpace(line), ".ko")
		if tries++; tries > 50 || !strings.HasPrefix(base, "kernel/") {
			return ""
		}
		for _, s := range suffixes {
			if system.Exists(filepath.Join(moduleDir, base+s)) {
				return s
			}
		}
		return ""
	})
}

func fromIndex(path string, try func(line string) string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 0; n < indexLines && lines.Scan(); n++ {
		if s := try(lines.Text()); s != "" {
			return s
		}
	}
	return ""
}

// suffixFromWalk takes the first module below kernel/.
func suffixFromWalk(moduleDir string) string {
	found := ""
	_ = filepath.WalkDir(filepath.Join(moduleDir, "kernel"), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if found = suffixOf(path); found != "" {
				return filepath.SkipAll
			}
		}
		return nil // what cannot be read has no say
	})
	return found
}

// headersHint says how to get the headers of release on this distribution.
func headersHint(release string) string {
	for _, path := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		if text, err := os.ReadFile(path); err == nil {
			return headersHintFor(string(text), release)
		}
	}
	return headersHintFor("", release)
}

// headersHintFor is headersHint for the text of an os-release file
// (os-release(5)). The names are patterns: kernels from elsewhere have others.
func headersHintFor(osRelease, release string) string {
	ids := " " + osReleaseIDs(osRelease) + " "
	is := func(id string) bool { return strings.Contains(ids, " "+id+" ") }
	switch {
	case strings.HasSuffix(release, "-pve"):
		return fmt.Sprintf("install them: apt install proxmox-headers-%s (or pve-headers-%s)", release, release)
	case is("debian") || is("ubuntu"):
		return "install them: apt install linux-headers-" + release
	case is("fedora") || is("rhel") || is("centos"):
		return "install them: dnf install kernel-devel-" + release
	case is("suse") || is("opensuse") || is("sles"):
		flavour := release[strings.LastIndex(release, "-")+1:]
		return fmt.Sprintf("install them: zypper install kernel-%s-devel = %s", flavour, strings.TrimSuffix(release, "-"+flavour))
	case is("arch"):
		return "install them: the headers package of that kernel, such as linux-headers or linux-lts-headers"
	}
	return "install the package with the headers of " + release
}

func osReleaseIDs(text string) string {
	var ids []string
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if key == "ID" || key == "ID_LIKE" {
			ids = append(ids, strings.Trim(value, `"'`))
		}
	}
	return strings.Join(ids, " ")
}
