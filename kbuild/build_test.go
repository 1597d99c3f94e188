package kbuild

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// below lists the files in dir, relative to it.
func below(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBuildGood(t *testing.T) {
	t.Parallel()
	for _, k := range realKernels(t) {
		t.Run(k.Release, func(t *testing.T) {
			t.Parallel()
			b := built(t, k)
			result := b.result
			want := []string{"log/make.log", "module/Module.symvers", "module/hello-renamed.ko.xz"}
			if diff := cmp.Diff(want, below(t, result.Stage)); diff != "" {
				t.Errorf("stage (-want +got):\n%s", diff)
			}
			m := result.Modules[0]
			module, err := ko.Open(filepath.Join(result.Stage, "module", m.File))
			if err != nil {
				t.Fatal(err)
			}
			if module.Release() != k.Release || module.Name != "hello" || m.Version != "1.0" || m.SrcVersion != module.SrcVersion || m.SrcVersion == "" {
				t.Errorf("module is %+v, built for %s", m, module.Release())
			}
			if hash, err := system.Hash(filepath.Join(result.Stage, "module", m.File)); hash != m.Hash || err != nil {
				t.Errorf("Hash = %s; want %s, %v", m.Hash, hash, err)
			}
			checkLog(t, b.bench, read(t, filepath.Join(result.Stage, "log", "make.log")))
			if len(result.Warnings) > 0 {
				t.Errorf("warnings: %q", result.Warnings)
			}
		})
	}
}

func checkLog(t *testing.T, b *bench, log string) {
	t.Helper()
	first, _, _ := strings.Cut(log, "\n")
	if want := "DKMS make.log for good-1.0 for kernel " + b.Kernel.Release + " (" + b.Kernel.Arch + ")"; first != want {
		t.Errorf("log begins with %q; want %q", first, want)
	}
	for _, want := range []string{"# command: " + b.Recipe.Make, "# ended: 0, after "} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %q:\n%s", want, log)
		}
	}
	if !slices.ContainsFunc(b.lines.text, func(l string) bool { return strings.Contains(l, "hello.o") }) {
		t.Errorf("progress lines: %q", b.lines.text)
	}
}

// One Makefile for all: it asks uname, in each of the ways one finds in the
// field, and fails where the answer is not the target.
func TestBuildUname(t *testing.T) {
	t.Parallel()
	k, _ := twoKernels(t)
	b := newBench(t, k, strings.Replace(hello, "obj-m := hello.o\n", `
ifneq ($(KERNELRELEASE),)
obj-m := hello.o
else
all:
	env | grep -E '^(KVER|K.*DIR|KSRC|KERNELRELEASE)=' | sort
	$(MAKE) -C /lib/modules/$(shell uname -r)/build M=$(PWD) modules
endif
`, 1), module("hello"))
	b.Recipe.Make, b.Probes = "make", answers
	b.good(t)
	for _, want := range []string{"KVER=" + k.Release, "KDIR=" + k.Source, "KERNELDIR=" + k.Source, "KERNEL_DIR=" + k.Source, "KSRC=" + k.Source} {
		if !slices.Contains(b.lines.text, want) {
			t.Errorf("the environment lacks %s", want)
		}
	}
	if strings.Contains(b.logText(t), "KERNELRELEASE=") {
		t.Error("KERNELRELEASE is in the environment")
	}
}

func TestBuildForAnotherKernel(t *testing.T) {
	t.Parallel()
	wanted, other := twoKernels(t)
	b := quick(t, other, "", copyHello, module("hello"))
	b.Kernel, b.Recipe.Release = wanted, wanted.Release
	failed := b.bad(t, dkms.ModuleNotProduced, PhaseVerify, "hello.ko: was built for "+other.Release+", wanted "+wanted.Release)
	if !strings.Contains(failed.Hint, "dkms.conf") {
		t.Errorf("hint is %q", failed.Hint)
	}
}

const provider = `
-- Makefile --
obj-m := provider.o
-- provider.c --
#include <linux/module.h>
int provider_answer(int x);
int provider_answer(int x) { return 42 + x; }
EXPORT_SYMBOL_GPL(provider_answer);
MODULE_LICENSE("GPL");
`

const consumer = `
-- Makefile --
obj-m := consumer.o
-- consumer.c --
#include <linux/module.h>
int provider_answer(int x);
static int __init consumer_init(void) { return provider_answer(1) == 0; }
module_init(consumer_init);
MODULE_LICENSE("GPL");
`

// A package sees the symbols of those it depends on, and is checked against
// them; without them it fails and says so.
func TestBuildDependentPair(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	of := func(source, name string) *bench {
		b := newBench(t, k, source, module(name))
		b.Probes = answers
		return b
	}
	first := of(provider, "provider")
	symvers := filepath.Join(first.good(t).Stage, "module", "Module.symvers")
	if text := read(t, symvers); !strings.Contains(text, "provider_answer") {
		t.Fatalf("Module.symvers = %q", text)
	}

	second := of(consumer, "consumer")
	second.Depends = []Depend{{Name: "provider", Symvers: symvers}}
	result := second.good(t)
	m, err := ko.Open(filepath.Join(result.Stage, "module", result.Modules[0].File))
	if err != nil || !slices.Contains(m.Depends, "provider") {
		t.Errorf("consumer depends on %q, %v; want provider", m.Depends, err)
	}

	alone := of(consumer, "consumer")
	failed := alone.bad(t, dkms.MakeFailed, PhaseMake, "provider_answer")
	if failed.Class != MissingSymbol {
		t.Errorf("class is %q; want %q", failed.Class, MissingSymbol)
	}

	wrong := of(consumer, "consumer")
	lie := filepath.Join(wrong.dir, "Module.symvers")
	write(t, lie, "0x12345678\tprovider_answer\tprovider\tEXPORT_SYMBOL_GPL\t\n", 0o644)
	wrong.Depends = second.Depends
	wrong.Recipe.SetsExtraSymbols = true
	wrong.Recipe.Make += " KBUILD_EXTRA_SYMBOLS=" + lie
	wrong.bad(t, dkms.ModuleNotProduced, PhaseVerify, "provider_answer is 0x")
}

func TestBuildDoesNotCompile(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	b := newBench(t, k, strings.Replace(hello, "return 0;", "return no_such_kernel_function();", 1), module("hello"))
	b.Probes = answers
	failed := b.bad(t, dkms.MakeFailed, PhaseMake, "does not compile (kernel API change): hello.c:2: implicit declaration of function 'no_such_kernel_function'")
	if failed.Log != filepath.Join(b.Scratch, "make.log") {
		t.Errorf("Log = %q", failed.Log)
	}
	if !system.Exists(filepath.Join(b.Scratch, "build", "hello.c")) {
		t.Error("the tree of the failed build is gone")
	}
}
