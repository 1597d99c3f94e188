package kbuild

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

func TestToolchain(t *testing.T) {
	t.Parallel()
	const gccText, clangText = "gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0", "Debian clang version 16.0.6 (27+b1)"
	for _, c := range []struct {
		name   string
		config string
		have   []string
		want   []string // environment
		warns  string
		hint   string
	}{
		{"no configuration", "", []string{"gcc"}, nil, "", ""},
		{"gcc", "CONFIG_CC_VERSION_TEXT=\"" + gccText + "\"\n", []string{"gcc-12", "gcc"}, []string{"CC=gcc-12"}, "", ""},
		{"cross name", `CONFIG_CC_VERSION_TEXT="x86_64-linux-gnu-gcc-13 (Ubuntu 13.2.0) 13.2.0"`, []string{"x86_64-linux-gnu-gcc-13"},
			[]string{"CC=x86_64-linux-gnu-gcc-13"}, "", ""},
		{"by path", `CONFIG_CC_VERSION_TEXT="/opt/bin/gcc-9 (GCC) 9"`, []string{"gcc-9"}, []string{"CC=gcc-9"}, "", ""},
		{"another gcc", "CONFIG_CC_VERSION_TEXT=\"" + gccText + "\"\n", []string{"gcc"}, nil, "the kernel was built by gcc-12, which is not installed; gcc is used", "install gcc-12"},
		{"none", "CONFIG_CC_VERSION_TEXT=\"" + gccText + "\"\n", nil, nil, "the kernel was built by gcc-12, which is not installed", "install gcc-12"},
		{"clang", "CONFIG_CC_IS_CLANG=y\nCONFIG_CC_VERSION_TEXT=\"" + clangText + "\"\n", []string{"clang", "ld.lld"},
			[]string{"CC=clang", "LD=ld.lld", "LLVM=1"}, "", ""},
		{"no clang", "CONFIG_CC_IS_CLANG=y\nCONFIG_CC_VERSION_TEXT=\"" + clangText + "\"\n", []string{"gcc"},
			[]string{"CC=clang", "LD=ld.lld", "LLVM=1"}, "the kernel was built by clang and ld.lld, which is not installed", "install clang, lld, llvm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, program := range c.have {
				write(t, filepath.Join(dir, program), "#!/bin/sh\n", 0o755)
			}
			got := Kernel{Config: ParseKconfig(c.config)}.toolchain(dir)
			if diff := cmp.Diff(c.want, got.environ()); diff != "" {
				t.Errorf("environment (-want +got):\n%s", diff)
			}
			if got.warning() != c.warns || got.hint() != c.hint {
				t.Errorf("warning %q, hint %q; want %q, %q", got.warning(), got.hint(), c.warns, c.hint)
			}
		})
	}
}

func TestCleaned(t *testing.T) {
	t.Parallel()
	caller := []string{
		"HOME=/root", "CC=evil", "CFLAGS=-O9", "MAKEFLAGS=-n", "MAKELEVEL=3", "KERNELRELEASE=1", "LC_ALL=de_DE", "LC_MESSAGES=de_DE", "LANG=de_DE",
		"LANGUAGE=de", "BASH_ENV=/x", "BASH_FUNC_make%%=() { :; }", "M=/x", "rubbish", "ARCH=arm64", "CROSS_COMPILE=a-", "HOSTCC=mine", "KBUILD_SIGN_PIN=1",
		"KBUILD_BUILD_USER=me", "PATH=/bin", "PWD=/x",
	}
	want := []string{"HOME=/root", "ARCH=arm64", "CROSS_COMPILE=a-", "HOSTCC=mine", "KBUILD_SIGN_PIN=1", "KBUILD_BUILD_USER=me"}
	if diff := cmp.Diff(want, cleaned(caller)); diff != "" {
		t.Errorf("cleaned (-want +got):\n%s", diff)
	}
	// Called by a kernel's own make install, whose variables are of that kernel.
	want = []string{"HOME=/root", "KBUILD_SIGN_PIN=1"}
	if diff := cmp.Diff(want, cleaned(append(caller, "sub_make_done=1", "KBUILD_MODULES=", "srctree=/x", "CONFIG_SHELL=/bin/sh"))); diff != "" {
		t.Errorf("cleaned in a kernel's make (-want +got):\n%s", diff)
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	j := Job{
		Kernel:  Kernel{Source: "/lib/modules/6.1/build"},
		Depends: []Depend{{"a", "/t/a/Module.symvers"}, {"b", "/t/b/Module.symvers"}},
		Env:     []string{"KDIR=/mine", "EXTRA=a b", "CC=own", "PATH=/opt/bin:/bin"},
	}
	j.Kernel.Release = "6.1"
	env := environment(j, "/scratch/bin", "/scratch/tmp")
	last := map[string]string{}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		if _, twice := last[name]; twice {
			t.Errorf("%s is there twice", name)
		}
		last[name] = value
	}
	for name, want := range map[string]string{
		"KVER": "6.1", "TMPDIR": "/scratch/tmp", "KDIR": "/mine", "KSRC": "/lib/modules/6.1/build", "EXTRA": "a b", "CC": "own", "LC_ALL": "C", "LANG": "C",
		"PATH": "/scratch/bin:/opt/bin:/bin", "KBUILD_EXTRA_SYMBOLS": "/t/a/Module.symvers /t/b/Module.symvers",
	} {
		if last[name] != want {
			t.Errorf("%s = %q; want %q", name, last[name], want)
		}
	}
	if _, there := last["KERNELRELEASE"]; there {
		t.Error("KERNELRELEASE must not be in the environment")
	}
	j.Recipe.SetsExtraSymbols = true
	for _, pair := range environment(j, "/b", "/t") {
		if strings.HasPrefix(pair, "KBUILD_EXTRA_SYMBOLS=") {
			t.Errorf("%s, although the recipe sets it", pair)
		}
	}
}

// The shim is run beside the real program: they differ in the release only.
func TestShim(t *testing.T) {
	t.Parallel()
	running, _, err := system.Uname()
	if err != nil {
		t.Fatal(err)
	}
	const target = "6.1.0-99-target+"
	dir := t.TempDir()
	if err := writeShim(dir, target); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-r"}, {"--kernel-release"}, {"-rm"}, {"-mr"}, {"-m", "-r"}, {"-sr", "--machine"}, {"-a"}, {"--all"}, {"-ar"}, {"-srvmo"}, {"-rp"}, {"-i", "-r"},
		{}, {"-m"}, {"-s"}, {"-n"}, {"-v"}, {"-o"}, {"-p"}, {"--machine"}, {"--kernel-version"}, {"-rr"},
	} {
		want, err := system.Output(context.Background(), system.Command{Args: append([]string{"uname"}, args...)})
		if err != nil {
			t.Fatalf("uname %q: %v", args, err)
		}
		got, err := system.Output(context.Background(), system.Command{Args: append([]string{filepath.Join(dir, "uname")}, args...)})
		if w := strings.Replace(string(want), running, target, 1); string(got) != w || err != nil {
			t.Errorf("uname %q = %q, %v; want %q", args, got, err, w)
		}
	}
	for _, args := range [][]string{{"--help"}, {"--version"}, {"-x"}, {"-rx"}, {"word"}, {"-r", "word"}, {"--releas"}, {"-"}} {
		want, wantErr := system.Output(context.Background(), system.Command{Args: append([]string{"uname"}, args...)})
		got, gotErr := system.Output(context.Background(), system.Command{Args: append([]string{filepath.Join(dir, "uname")}, args...)})
		clean := func(b []byte) string { return strings.ReplaceAll(string(b), "/usr/bin/", "") }
		if clean(got) != clean(want) || (gotErr == nil) != (wantErr == nil) {
			t.Errorf("uname %q = %q, %v; want %q, %v", args, got, gotErr, want, wantErr)
		}
	}
}

func TestShellQuote(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	release := "it's $HOME `x` \\ \""
	if err := writeShim(dir, release); err != nil {
		t.Fatal(err)
	}
	out, err := system.Output(context.Background(), system.Command{Args: []string{filepath.Join(dir, "uname"), "-r"}, Env: os.Environ()})
	if string(out) != release+"\n" || err != nil {
		t.Errorf("uname -r = %q, %v; want %q", out, err, release)
	}
}
