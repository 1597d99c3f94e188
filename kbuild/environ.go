package kbuild

import (
	"os"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// dropped are variables of the caller that change what make builds, or how
// shells start; none of them is meant for a module.
var dropped = []string{
	"CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "LD", "LLVM",
	"MAKEFLAGS", "MFLAGS", "GNUMAKEFLAGS", "MAKEFILES", "MAKELEVEL", "MAKEOVERRIDES", "MAKE_TERMOUT", "MAKE_TERMERR",
	"BASH_ENV", "ENV", "CDPATH", "POSIXLY_CORRECT", "BASHOPTS", "SHELLOPTS",
	"LANG", "LANGUAGE", "PWD", "OLDPWD", "PATH",
	// Set, they turn a kernel's `make modules` into something else.
	"KERNELRELEASE", "KERNELVERSION", "M", "O", "SUBDIRS", "KBUILD_EXTMOD", "KBUILD_OUTPUT", "KBUILD_SRC",
	"KBUILD_EXTRA_SYMBOLS", "KBUILD_EXTMOD_OUTPUT", "MO",
	"sub_make_done", "need-sub-make", "srctree", "objtree", "abs_srctree", "abs_objtree", "VPATH",
}

// exported are the variables that a kernel's top Makefile exports, over and
// above dropped: they are there when a kernel's `make install` calls the hook
// that calls us, and belong to that kernel.
var exported = []string{
	"ARCH", "SRCARCH", "UTS_MACHINE", "CONFIG_SHELL", "BASH", "CROSS_COMPILE", "AR", "NM", "OBJCOPY", "OBJDUMP", "READELF", "STRIP", "PAHOLE",
	"RESOLVE_BTFIDS", "LEX", "YACC", "AWK", "INSTALLKERNEL", "PERL", "PYTHON3", "CHECK", "CHECKFLAGS", "CPP", "HOSTCC", "HOSTCXX", "HOSTCFLAGS",
	"KGZIP", "KBZIP2", "KLZOP", "LZMA", "LZ4", "XZ", "ZSTD", "NOSTDINC_FLAGS", "LINUXINCLUDE", "OBJCOPYFLAGS", "LDFLAGS_MODULE", "LDFLAGS_vmlinux",
	"CFLAGS_MODULE", "AFLAGS_MODULE", "CFLAGS_KERNEL", "AFLAGS_KERNEL", "RUSTFLAGS_MODULE", "CLIPPY_CONF_DIR", "RUSTC", "RUSTDOC", "RUSTFMT",
	"RUSTC_OR_CLIPPY", "RUSTC_OR_CLIPPY_QUIET", "RUSTC_BOOTSTRAP", "BINDGEN", "CARGO", "HOSTRUSTC", "MODVERDIR", "MODLIB", "INSTALL_PATH",
	"INSTALL_MOD_PATH", "INSTALL_DTBS_PATH", "KCONFIG_CONFIG", "RCS_FIND_IGNORE", "RCS_TAR_IGNORE", "TAR", "quiet", "Q", "CLANG_FLAGS",
	"VERSION", "PATCHLEVEL", "SUBLEVEL", "EXTRAVERSION", "LC_COLLATE", "LC_NUMERIC", "CC_USING_FENTRY",
}

// environment is what the commands of j see: the caller's, without what would
// lead a build astray, then what names the target, then build_environment.
//
// KERNELRELEASE is not in it: many Makefiles take it for "called from kbuild"
// and would build nothing. It stays on make's command line, where the recipe
// puts it.
// TMPDIR is swept with the build: a compiler that is killed leaves its files there.
func environment(j Job, bin, temporary string) []string {
	env := cleaned(os.Environ())
	path := pathFrom(os.Environ())
	k := j.Kernel
	env = append(env,
		// Diagnosis reads English. kbuild drops LC_ALL, hence LANG too.
		"LC_ALL=C", "LANG=C", "TMPDIR="+temporary,
		"KVER="+k.Release, "KVERSION="+k.Release,
		"KERNEL_DIR="+k.Source, "KERNELDIR="+k.Source, "KDIR="+k.Source, "KSRC="+k.Source,
	)
	env = append(env, target(j.Recipe.Ref)...)
	env = append(env, k.toolchain(path).environ()...)
	if !j.Recipe.SetsExtraSymbols && len(j.Depends) > 0 {
		paths := make([]string, 0, len(j.Depends))
		for _, d := range j.Depends {
			paths = append(paths, d.Symvers)
		}
		env = append(env, "KBUILD_EXTRA_SYMBOLS="+strings.Join(paths, " "))
	}
	for _, pair := range j.Env {
		if name, value, _ := strings.Cut(pair, "="); name == "PATH" {
			path = value
			continue
		}
		env = append(env, pair)
	}
	return append(unique(env), "PATH="+bin+":"+path)
}

// ScriptEnvironment is what the scripts of ref see that run outside of a build:
// the caller's environment, cleaned as for a build, and what dkms.conf sees.
func ScriptEnvironment(ref dkms.Ref) []string {
	env := append(cleaned(os.Environ()), target(ref)...)
	return append(unique(env), "PATH="+pathFrom(os.Environ()))
}

// target are the variables that dkms.conf, scripts and Makefiles know.
func target(ref dkms.Ref) []string {
	return []string{"kernelver=" + ref.Release, "arch=" + ref.Arch, "module=" + ref.Name, "module_version=" + ref.Version}
}

// cleaned returns env without dropped, without the locale and, when a kernel's
// own make called us, without what that exports.
func cleaned(env []string) []string {
	kernelMake := slices.ContainsFunc(env, func(pair string) bool { return strings.HasPrefix(pair, "sub_make_done=") })
	var out []string
	for _, pair := range env {
		name, _, ok := strings.Cut(pair, "=")
		switch {
		case !ok, slices.Contains(dropped, name), strings.HasPrefix(name, "LC_"):
		case strings.HasPrefix(name, "BASH_FUNC_"): // a function make() of the caller's shell
		case kernelMake && (slices.Contains(exported, name) || strings.HasPrefix(name, "KBUILD_") && name != "KBUILD_SIGN_PIN"):
		default:
			out = append(out, pair)
		}
	}
	return out
}

// unique keeps the last value of each name, in the order of first appearance.
func unique(env []string) []string {
	at := map[string]int{}
	var out []string
	for _, pair := range env {
		name, _, _ := strings.Cut(pair, "=")
		if i, ok := at[name]; ok {
			out[i] = pair
			continue
		}
		at[name] = len(out)
		out = append(out, pair)
	}
	return out
}

func pathFrom(env []string) string {
	for _, pair := range slices.Backward(env) {
		if path, ok := strings.CutPrefix(pair, "PATH="); ok && path != "" {
			return path
		}
	}
	return system.SafePath
}
