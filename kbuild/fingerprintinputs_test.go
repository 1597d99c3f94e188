package kbuild

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// inputs is all that a fingerprint is taken from, in a directory of the test.
// Its compilers are scripts in bin, which is all of PATH.
type inputs struct {
	dir, source, etc, bin string
	recipe                Recipe
	kernel                KernelOptions
	env                   []string
}

const fingerprintSource = `
-- dkms.conf --
PACKAGE_NAME=good
-- Makefile --
obj-m := good.o
-- good.c --
int good;
-- inc/good.h --
extern int good;
-- prepare.sh --
#!/bin/sh
-- patches/one.patch --
one
-- patches/two.patch --
two
`

const fingerprintHeaders = `
-- .config --
CONFIG_CC_VERSION_TEXT="fakecc-12 (Test 12.2.0-14) 12.2.0"
-- Makefile --
VERSION = 6
-- Module.symvers --
0x1	printk	vmlinux	EXPORT_SYMBOL
-- include/config/kernel.release --
K
-- include/generated/asm-offsets.h --
#define A 1
-- include/generated/bounds.h --
#define B 1
-- include/generated/compile.h --
#define C 1
-- include/generated/package.h --
#define D 1
-- include/generated/uapi/linux/version.h --
#define E 1
-- include/generated/utsrelease.h --
#define UTS_RELEASE "K"
-- include/generated/utsversion.h --
#define F 1
`

const version12 = "fakecc-12 (Test 12.2.0-14) 12.2.0"

func newInputs(t *testing.T) *inputs {
	t.Helper()
	dir := t.TempDir()
	in := &inputs{dir: dir, source: filepath.Join(dir, "src"), etc: filepath.Join(dir, "etc"), bin: filepath.Join(dir, "bin")}
	in.recipe = Recipe{
		Ref:     dkms.Ref{Package: dkms.Package{Name: "good", Version: "1.0"}, KernelID: dkms.KernelID{Release: "K", Arch: "x86_64"}},
		Make:    "make -j4 KERNELRELEASE=K all",
		Patches: []string{"one.patch", "two.patch"}, PreBuild: "prepare.sh now", PostBuild: "after.sh",
		Modules: []Module{{Built: "good", Dest: "good", DestDir: "/kernel/drivers/net"}},
	}
	in.kernel = KernelOptions{ID: in.recipe.KernelID, InstallTree: filepath.Join(dir, "modules")}
	unpack(t, in.source, fingerprintSource)
	if err := os.Symlink("inc/good.h", filepath.Join(in.source, "link.h")); err != nil {
		t.Fatal(err)
	}
	unpack(t, in.headers(""), fingerprintHeaders)
	write(t, filepath.Join(in.etc, "good/patches/two.patch"), "mine\n", 0o644)
	write(t, filepath.Join(in.etc, "good/prepare.sh"), "#!/bin/sh\n", 0o755)
	in.env = []string{"OTHER=1", "KEPT=1"}
	in.compiler(t, "fakecc-12", version12)
	t.Setenv("PATH", in.bin)
	return in
}

func (in *inputs) headers(name string) string { return filepath.Join(in.dir, "modules/K/build", name) }

// compiler makes a program that tells a version and is counted.
func (in *inputs) compiler(t *testing.T, name, version string) {
	t.Helper()
	text := fmt.Sprintf("#!/bin/sh\nif [ \"$LC_ALL\" = C ] && [ \"$*\" = --version ]; then\necho x >>%s/calls\necho '%s'\necho Copyright\nfi\n", in.dir, version)
	write(t, filepath.Join(in.bin, name), text, 0o755)
}

func (in *inputs) by(t *testing.T, p *Fingerprinter) Fingerprint {
	t.Helper()
	f, err := in.try(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (in *inputs) try(ctx context.Context, p *Fingerprinter) (Fingerprint, error) {
	k, err := OpenKernel(in.kernel)
	if err != nil {
		return Fingerprint{}, err
	}
	return p.Of(ctx, in.recipe, k, in.source, in.etc, in.env)
}

const (
	sourceChanged = "the source has changed"
	recipeChanged = "its dkms.conf, patches, scripts or build_environment say something else"
	kernelChanged = "the kernel's headers have changed"
)

// inputChange is one change of the inputs, and what is to be said of it.
type inputChange struct {
	name string
	do   func(t *testing.T, in *inputs)
	want string
}

func edit(name string, at func(in *inputs, name string) string) func(*testing.T, *inputs) {
	return func(t *testing.T, in *inputs) {
		t.Helper()
		path := at(in, name)
		write(t, path, read(t, path)+"more\n", 0o644)
	}
}

func inSource(in *inputs, name string) string  { return filepath.Join(in.source, name) }
func inHeaders(in *inputs, name string) string { return in.headers(name) }
func inEtc(in *inputs, name string) string     { return filepath.Join(in.etc, "good", name) }

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sourceChanges() []inputChange {
	return []inputChange{
		{"content", edit("good.c", inSource), sourceChanged},
		{"content of the same size", func(t *testing.T, in *inputs) { write(t, inSource(in, "good.c"), "int evil;\n", 0o644) }, sourceChanged},
		{"content of the same size and time", func(t *testing.T, in *inputs) { // as tar and dpkg set it
			info, err := os.Stat(inSource(in, "good.c"))
			ok(t, err)
			write(t, inSource(in, "good.c"), "int evil;\n", 0o644)
			ok(t, os.Chtimes(inSource(in, "good.c"), info.ModTime(), info.ModTime()))
		}, sourceChanged},
		{"content below", edit("inc/good.h", inSource), sourceChanged},
		{"its own patch", edit("patches/one.patch", inSource), sourceChanged},
		{"a new file", func(t *testing.T, in *inputs) { write(t, inSource(in, ".hidden"), "", 0o644) }, sourceChanged},
		{"version control, which is copied", func(t *testing.T, in *inputs) { write(t, inSource(in, ".git/HEAD"), "x", 0o644) }, sourceChanged},
		{"a new directory", func(t *testing.T, in *inputs) { mkdir(t, inSource(in, "empty")) }, sourceChanged},
		{"a file gone", func(t *testing.T, in *inputs) { ok(t, os.Remove(inSource(in, "good.c"))) }, sourceChanged},
		{"another name", func(t *testing.T, in *inputs) { ok(t, os.Rename(inSource(in, "good.c"), inSource(in, "food.c"))) }, sourceChanged},
		{"another place", func(t *testing.T, in *inputs) { ok(t, os.Rename(inSource(in, "good.c"), inSource(in, "inc/good.c"))) }, sourceChanged},
		{"two files exchanged", func(t *testing.T, in *inputs) {
			ok(t, os.Rename(inSource(in, "good.c"), inSource(in, "x")))
			ok(t, os.Rename(inSource(in, "inc/good.h"), inSource(in, "good.c")))
			ok(t, os.Rename(inSource(in, "x"), inSource(in, "inc/good.h")))
		}, sourceChanged},
		{"an execute bit", func(t *testing.T, in *inputs) { ok(t, os.Chmod(inSource(in, "good.c"), 0o755)) }, sourceChanged},
		{"no execute bit", func(t *testing.T, in *inputs) { ok(t, os.Chmod(inSource(in, "prepare.sh"), 0o644)) }, sourceChanged},
		{"the target of a link", func(t *testing.T, in *inputs) {
			ok(t, os.Remove(inSource(in, "link.h")))
			ok(t, os.Symlink("inc/../inc/good.h", inSource(in, "link.h")))
		}, sourceChanged},
		{"a file instead of a link", func(t *testing.T, in *inputs) {
			ok(t, os.Remove(inSource(in, "link.h")))
			write(t, inSource(in, "link.h"), "inc/good.h", 0o644)
		}, sourceChanged},
	}
}

func recipeChanges() []inputChange {
	return []inputChange{
		{"a patch of /etc/dkms", edit("patches/two.patch", inEtc), recipeChanged},
		{"a new patch of /etc/dkms", func(t *testing.T, in *inputs) { write(t, inEtc(in, "patches/one.patch"), "one\n", 0o644) }, recipeChanged},
		{"no patch of /etc/dkms", func(t *testing.T, in *inputs) { ok(t, os.Remove(inEtc(in, "patches/two.patch"))) }, recipeChanged},
		{"a script of /etc/dkms", edit("prepare.sh", inEtc), recipeChanged},
		{"a new script of /etc/dkms", func(t *testing.T, in *inputs) { write(t, inEtc(in, "after.sh"), "", 0o755) }, recipeChanged},
		{"a script of /etc/dkms that is no longer one", func(t *testing.T, in *inputs) { ok(t, os.Chmod(inEtc(in, "prepare.sh"), 0o644)) }, recipeChanged},
		{"the order of patches", func(_ *testing.T, in *inputs) { slices.Reverse(in.recipe.Patches) }, recipeChanged},
		{"a variable's value", func(_ *testing.T, in *inputs) { in.env = []string{"OTHER=1", "KEPT=2"} }, recipeChanged},
		{"a new variable", func(_ *testing.T, in *inputs) { in.env = append(in.env, "EXTRA=1") }, recipeChanged},
	}
}

func kernelChanges() []inputChange {
	out := []inputChange{
		{"the configuration", func(t *testing.T, in *inputs) {
			write(t, in.headers(".config"), read(t, in.headers(".config"))+"CONFIG_X=y\n", 0o644)
		}, kernelChanged},
		{"--config", func(t *testing.T, in *inputs) {
			in.kernel.ConfigFile = filepath.Join(in.dir, "config")
			write(t, in.kernel.ConfigFile, read(t, in.headers(".config"))+"CONFIG_X=y\n", 0o644)
		}, kernelChanged},
		{"other headers", func(t *testing.T, in *inputs) {
			ok(t, os.Rename(in.headers(""), in.headers("")+".old"))
			unpack(t, filepath.Join(in.dir, "other"), strings.ReplaceAll(fingerprintHeaders, "#define A 1", "#define A 2"))
			ok(t, os.Symlink("../../other", in.headers("")))
		}, kernelChanged},
	}
	for _, name := range kernelFiles {
		out = append(out, inputChange{name, edit(name, inHeaders), kernelChanged},
			inputChange{"no " + name, func(t *testing.T, in *inputs) { ok(t, os.Remove(in.headers(name))) }, kernelChanged})
	}
	return out
}

func compilerChanges() []inputChange {
	another := func(now string) string { return "the compiler is another: " + now + ", was " + version12 }
	gcc := "gcc (Test 13.1.0-1) 13.1.0"
	return []inputChange{
		{"another version", func(t *testing.T, in *inputs) { in.compiler(t, "fakecc-12", "fakecc-12 (Test 12.3.0-1)\t12.3.0") },
			another("fakecc-12 (Test 12.3.0-1) 12.3.0")},
		{"none", func(t *testing.T, in *inputs) { ok(t, os.Remove(filepath.Join(in.bin, "fakecc-12"))) }, another("fakecc-12 is missing")},
		{"gcc instead", func(t *testing.T, in *inputs) {
			ok(t, os.Remove(filepath.Join(in.bin, "fakecc-12")))
			in.compiler(t, "gcc", gcc)
		}, another(gcc + " (fakecc-12 is missing)")},
		{"one that fails", func(t *testing.T, in *inputs) {
			write(t, filepath.Join(in.bin, "fakecc-12"), "#!/bin/sh\nexit 1\n", 0o755)
		},
			another("fakecc-12 is missing")},
		{"build_environment's", func(t *testing.T, in *inputs) {
			in.compiler(t, "gcc", gcc)
			in.env = []string{"CC=gcc"}
		}, recipeChanged + "; " + another(gcc)},
		{"make's own choice", func(t *testing.T, in *inputs) {
			in.compiler(t, "gcc", gcc)
			write(t, in.headers(".config"), "CONFIG_X=y\n", 0o644)
		}, kernelChanged + "; " + another(gcc)},
		{"clang without its linker", func(t *testing.T, in *inputs) {
			in.compiler(t, "clang", "clang version 16.0.6")
			write(t, in.headers(".config"), "CONFIG_CC_IS_CLANG=y\n", 0o644)
		}, kernelChanged + "; " + another("clang version 16.0.6 (ld.lld is missing)")},
	}
}

// harmless are changes that give the same modules.
func harmless() []inputChange {
	return []inputChange{
		{"nothing", func(*testing.T, *inputs) {}, ""},
		{"times", func(t *testing.T, in *inputs) {
			for _, name := range []string{"good.c", "inc", "."} {
				ok(t, os.Chtimes(inSource(in, name), time.Unix(1, 0), time.Unix(1, 0)))
			}
			ok(t, os.Chtimes(in.headers("Module.symvers"), time.Unix(1, 0), time.Unix(1, 0)))
		}, ""},
		{"who may read", func(t *testing.T, in *inputs) { ok(t, os.Chmod(inSource(in, "good.c"), 0o600)) }, ""},
		{"another copy, made in another order", func(t *testing.T, in *inputs) {
			ok(t, os.Rename(in.source, in.source+".old"))
			mkdir(t, in.source)
			ok(t, os.Symlink("inc/good.h", inSource(in, "link.h")))
			for _, name := range []string{"prepare.sh", "patches/two.patch", "patches/one.patch", "inc/good.h", "good.c", "Makefile", "dkms.conf"} {
				old := filepath.Join(in.source+".old", name)
				info, err := os.Stat(old)
				ok(t, err)
				write(t, inSource(in, name), read(t, old), info.Mode())
			}
		}, ""},
		{"a link to the source", func(t *testing.T, in *inputs) {
			ok(t, os.Symlink("src", filepath.Join(in.dir, "by-link")))
			in.source = filepath.Join(in.dir, "by-link")
		}, ""},
		{"how many at a time", func(_ *testing.T, in *inputs) { in.recipe.Make = "make -j64 KERNELRELEASE=K all" }, ""},
		{"without limit", func(_ *testing.T, in *inputs) { in.recipe.Make = "make -j KERNELRELEASE=K all" }, ""},
		{"one at a time", func(_ *testing.T, in *inputs) { in.recipe.Make = "make KERNELRELEASE=K all" }, ""},
		{"a patch of /etc/dkms that nobody wants", func(t *testing.T, in *inputs) { write(t, inEtc(in, "patches/three.patch"), "", 0o644) }, ""},
		{"a script of /etc/dkms that is not of a build", func(t *testing.T, in *inputs) { write(t, inEtc(in, "installed.sh"), "", 0o755) }, ""},
		{"another package's", func(t *testing.T, in *inputs) { write(t, filepath.Join(in.etc, "bad/patches/one.patch"), "", 0o644) }, ""},
		{"the order of variables", func(_ *testing.T, in *inputs) { in.env = []string{"KEPT=0", "KEPT=1", "OTHER=1"} }, ""},
		{"places in dkms.conf's arrays", func(_ *testing.T, in *inputs) { in.recipe.Modules[0].Index = 7 }, ""},
		{"another kernel's compression", func(t *testing.T, in *inputs) { write(t, filepath.Join(in.dir, "modules/K/kernel/a.ko.xz"), "", 0o644) }, ""},
		{"modules that were installed", func(t *testing.T, in *inputs) {
			write(t, filepath.Join(in.dir, "modules/K/updates/dkms/good.ko"), "", 0o644)
		}, ""},
	}
}
