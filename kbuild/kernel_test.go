package kbuild

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

const release = "6.1.0-56-amd64"

func open(t *testing.T, o KernelOptions) Kernel {
	t.Helper()
	if o.ID.Release == "" {
		o.ID = dkms.KernelID{Release: release, Arch: "x86_64"}
	}
	k, err := OpenKernel(o)
	if err != nil {
		t.Fatalf("OpenKernel(%+v) = %v", o, err)
	}
	return k
}

func TestReleases(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, mark := range []string{"6.9.1/build/x", "6.10.2/modules.dep", "6.1.0-rc1/kernel/x", "leftover/updates/dkms/x.ko", "a b/build/x", ".hidden/build/x", "file"} {
		write(t, filepath.Join(dir, mark), "", 0o644)
	}
	mkdir(t, filepath.Join(dir, "6.2-dangling"))
	if err := os.Symlink("nowhere", filepath.Join(dir, "6.2-dangling", "build")); err != nil {
		t.Fatal(err)
	}
	got, err := Releases(dir)
	if diff := cmp.Diff([]string{"6.1.0-rc1", "6.2-dangling", "6.9.1", "6.10.2"}, got); diff != "" || err != nil {
		t.Errorf("Releases, %v (-want +got):\n%s", err, diff)
	}
	if got, err := Releases(filepath.Join(dir, "no")); len(got) != 0 || err != nil {
		t.Errorf("Releases of nothing = %q, %v; want none", got, err)
	}
	if _, err := Releases(filepath.Join(dir, "file")); err == nil {
		t.Error("Releases of a file gave no error")
	}
}

func TestOpenKernel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	home := filepath.Join(dir, release)
	unpack(t, home, `
-- build/include/config/auto.conf --
CONFIG_FROM_AUTO=y
-- build/include/config/kernel.release --
6.1.0-56-amd64
`)
	got := open(t, KernelOptions{InstallTree: dir})
	want := Kernel{
		KernelID: dkms.KernelID{Release: release, Arch: "x86_64"}, ModuleDir: home, Source: home + "/build",
		ConfigFile: home + "/build/include/config/auto.conf", Headers: true, Suffix: ".ko",
	}
	if !got.Config.Set("CONFIG_FROM_AUTO") {
		t.Error("auto.conf is not read")
	}
	got.Config = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("OpenKernel (-want +got):\n%s", diff)
	}
	if err := errors.Join(got.RequireHeaders(), got.RequireModuleDir()); err != nil {
		t.Errorf("it requires more: %v", err)
	}
	if r := got.HeaderRelease(); r != release {
		t.Errorf("HeaderRelease = %q", r)
	}

	write(t, home+"/build/.config", "CONFIG_FROM_DOT=m\n", 0o644)
	if k := open(t, KernelOptions{InstallTree: dir}); !k.Config.Set("CONFIG_FROM_DOT") || k.ConfigFile != home+"/build/.config" {
		t.Errorf(".config does not win: %+v", k)
	}
	given := filepath.Join(dir, "given")
	write(t, given, "CONFIG_CC_IS_CLANG=y\n", 0o644)
	if k := open(t, KernelOptions{InstallTree: dir, ConfigFile: given}); !k.Clang() || k.ConfigFile != given {
		t.Errorf("--config does not win: %+v", k)
	}
	for _, bad := range []string{filepath.Join(dir, "no"), dir} {
		_, err := OpenKernel(KernelOptions{ID: got.KernelID, InstallTree: dir, ConfigFile: bad})
		var known *dkms.Error
		if !errors.As(err, &known) || known.Kind != dkms.Usage || known.Object != "--config "+bad {
			t.Errorf("OpenKernel with --config %s = %v", bad, err)
		}
	}
}

func TestHeaderRelease(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ archive, want string }{
		{"-- include/x --\n", ""},
		{"-- include/generated/utsrelease.h --\n#define UTS_RELEASE \"5.4.0+\"\n", "5.4.0+"},
		{"-- include/generated/utsrelease.h --\n/* none */\n#define OTHER 1\n", ""},
		{"-- include/config/kernel.release --\n6.1\n", "6.1"},
		{"-- include/config/kernel.release --\n6.1\n-- include/generated/utsrelease.h --\n/* none */\n", "6.1"},
		// Debian fills kernel.release with the upstream version.
		{"-- include/config/kernel.release --\n6.1.99\n-- include/generated/utsrelease.h --\n#define UTS_RELEASE \"6.1.0-56-amd64\"\n", release},
	} {
		dir := t.TempDir()
		unpack(t, dir, c.archive)
		if got := open(t, KernelOptions{InstallTree: "/nowhere", SourceDir: dir}).HeaderRelease(); got != c.want {
			t.Errorf("HeaderRelease of %q = %q; want %q", c.archive, got, c.want)
		}
	}
}

func TestRequireHeaders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		archive string
		link    string // target of RELEASE/build
		given   string // --kernelsourcedir
		want    string
		hint    string
	}{
		{name: "not installed", archive: "-- 6.1.0-56-amd64/kernel/x --\n", want: "headers of 6.1.0-56-amd64: not installed", hint: "linux-headers-6.1.0-56-amd64"},
		{name: "no kernels at all", want: "headers of 6.1.0-56-amd64: not installed"},
		{name: "dangling", link: "/usr/src/gone", want: "DIR/6.1.0-56-amd64/build: is a dangling link to /usr/src/gone"},
		{name: "elsewhere", archive: "-- 6.10.1/build/x --\n-- 6.9.1/build/x --\n",
			want: "kernel 6.1.0-56-amd64: is not on this machine; kernels here: 6.9.1, 6.10.1", hint: "name one of them with -k"},
		{name: "no headers", archive: "-- 6.1.0-56-amd64/build/Makefile --\n", want: "DIR/6.1.0-56-amd64/build: holds no kernel headers"},
		{name: "given", given: "DIR/somewhere", want: "DIR/somewhere: holds no kernel headers", hint: "--kernelsourcedir"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			unpack(t, dir, c.archive)
			if c.link != "" {
				mkdir(t, filepath.Join(dir, release))
				if err := os.Symlink(c.link, filepath.Join(dir, release, "build")); err != nil {
					t.Fatal(err)
				}
			}
			here := func(s string) string { return strings.ReplaceAll(s, "DIR", dir) }
			err := open(t, KernelOptions{InstallTree: dir, SourceDir: here(c.given)}).RequireHeaders()
			var known *dkms.Error
			if !errors.As(err, &known) || known.Kind != dkms.HeadersMissing || !strings.HasPrefix(err.Error(), here(c.want)) ||
				!strings.Contains(known.Hint, c.hint) || known.Hint == "" {
				t.Errorf("RequireHeaders = %v (%+v); want %q, hint with %q", err, known, here(c.want), c.hint)
			}
		})
	}
}

func TestRequireModuleDir(t *testing.T) {
	t.Parallel()
	err := open(t, KernelOptions{InstallTree: t.TempDir()}).RequireModuleDir()
	var known *dkms.Error
	if !errors.As(err, &known) || known.Kind != dkms.NoModuleDir {
		t.Errorf("RequireModuleDir = %v; want kind NoModuleDir", err)
	}
}

func TestHeadersHint(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ osRelease, release, want string }{
		{"ID=debian\n", "6.1.0-56-amd64", "apt install linux-headers-6.1.0-56-amd64"},
		{"ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "6.8.0-31-generic", "apt install linux-headers-6.8.0-31-generic"},
		{"ID=debian\n", "6.8.12-1-pve", "apt install proxmox-headers-6.8.12-1-pve"},
		{"ID='rocky'\nID_LIKE=\"rhel centos fedora\"\n", "5.14.0-1.el9.x86_64", "dnf install kernel-devel-5.14.0-1.el9.x86_64"},
		{"ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", "6.4.0-1-default", "zypper install kernel-default-devel = 6.4.0-1"},
		{"ID=arch\n", "6.9.1-arch1-1", "linux-headers"},
		{"", "6.9.1", "the headers of 6.9.1"},
	} {
		if got := headersHintFor(c.osRelease, c.release); !strings.Contains(got, c.want) {
			t.Errorf("headersHintFor(%q, %q) = %q; want %q in it", c.osRelease, c.release, got, c.want)
		}
	}
}

func TestModuleSuffix(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, archive, config, want string
	}{
		{"nothing", "", "", ".ko"},
		{"config is a hint", "", "CONFIG_MODULE_COMPRESS_XZ=y\n", ".ko.xz"},
		{"config none", "", "CONFIG_MODULE_COMPRESS_NONE=y\n", ".ko"},
		{"dep", "-- modules.dep --\nupdates/dkms/mine.ko:\nkernel/a/b.ko.zst: kernel/c.ko.zst\n-- kernel/a/b.ko.zst --\n", "CONFIG_MODULE_COMPRESS_XZ=y\n", ".ko.zst"},
		{"only ours in dep", "-- modules.dep --\nupdates/dkms/mine.ko:\n-- updates/dkms/mine.ko --\n", "CONFIG_MODULE_COMPRESS_GZIP=y\n", ".ko.gz"},
		{"dep is out of date", "-- modules.dep --\nkernel/a/b.ko:\n-- kernel/a/b.ko.xz --\n", "", ".ko.xz"},
		{"order", "-- modules.order --\nkernel/gone.ko\nkernel/a/b.ko\n-- kernel/a/b.ko.gz --\n", "", ".ko.gz"},
		{"walk", "-- kernel/a/readme --\n-- kernel/z/b.ko.xz --\n", "", ".ko.xz"},
		{"plain on disk, compressed by config", "-- kernel/a/b.ko --\n", "CONFIG_MODULE_COMPRESS_ZSTD=y\n", ".ko"},
		{"index is rubbish", "-- modules.dep --\n\x00\x00kernel\n::::\n-- modules.order --\n-----\n", "", ".ko"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			mkdir(t, filepath.Join(dir, release))
			unpack(t, filepath.Join(dir, release), c.archive+"-- build/.config --\n"+c.config)
			if got := open(t, KernelOptions{InstallTree: dir}).Suffix; got != c.want {
				t.Errorf("suffix = %q; want %q", got, c.want)
			}
		})
	}
}

func TestHostArch(t *testing.T) {
	t.Parallel()
	arch, err := HostArch()
	if err != nil || arch == "" || strings.ContainsAny(arch, " /\n") {
		t.Errorf("HostArch = %q, %v", arch, err)
	}
}

func TestReadKconfig(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config")
	write(t, path, strings.Join([]string{
		"#", "# Automatically generated file; DO NOT EDIT.", "# CONFIG_A is not set", "CONFIG_B=y", "CONFIG_C=m", "CONFIG_D=n",
		`CONFIG_E="gcc-12 (Debian \"x\" \\ y) 12"`, "CONFIG_F=0x10", "CONFIG_G=", `CONFIG_H=""`, "CONFIG_I=y", "# CONFIG_I is not set",
		"CONFIG_J=12\r", "  CONFIG_K=y", "export CONFIG_L=y", "rubbish", "CONFIG_M=y", "CONFIG_M=n", `CONFIG_N="`, `CONFIG_O="a=b"`,
		"CONFIG_P=y", "# CONFIG_P", "# CONFIG_P is set", "CONFIG_P", "CONFIG_PP=m", "A_CONFIG_P=m", `CONFIG_Q="CONFIG_P=m"`,
		"# CONFIG_R is not set", "CONFIG_R=7", "OTHER=y", "CONFIG_LAST=y",
	}, "\n"), 0o644)
	got, err := ReadKconfig(path)
	if err != nil {
		t.Fatal(err)
	}
	for symbol, want := range map[string]string{
		"CONFIG_A": "", "CONFIG_B": "y", "CONFIG_C": "m", "CONFIG_D": "", "CONFIG_E": `gcc-12 (Debian "x" \ y) 12`, "CONFIG_F": "0x10", "CONFIG_G": "", "CONFIG_H": "",
		"CONFIG_I": "", "CONFIG_J": "12", "CONFIG_K": "y", "CONFIG_L": "", "CONFIG_M": "", "CONFIG_N": `"`, "CONFIG_O": "a=b",
		"CONFIG_P": "y", "CONFIG_PP": "m", "CONFIG_Q": "CONFIG_P=m", "CONFIG_R": "7", "CONFIG_LAST": "y", "CONFIG_": "", "OTHER": "", "": "", "CONFIG_NONE": "",
	} {
		for range 2 { // found, and remembered
			if value := got.Value(symbol); value != want {
				t.Errorf("Value(%s) = %q; want %q", symbol, value, want)
			}
		}
	}
	for symbol, set := range map[string]bool{"CONFIG_B": true, "CONFIG_C": true, "CONFIG_A": false, "CONFIG_F": false, "CONFIG_H": false} {
		if got.Set(symbol) != set {
			t.Errorf("Set(%s) = %v; want %v", symbol, !set, set)
		}
	}
	if (*Kconfig)(nil).Set("CONFIG_B") {
		t.Error("no configuration has a symbol set")
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadKconfig(pipe); err == nil {
		t.Error("ReadKconfig of a pipe gave no error")
	}
}

// A distribution's configuration has about so many lines, half of them set.
func BenchmarkReadKconfig(b *testing.B) {
	var text strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&text, "CONFIG_SYMBOL_NUMBER_%d=m\n# CONFIG_ANOTHER_%d is not set\n", i, i)
	}
	path := filepath.Join(b.TempDir(), "config")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		c, err := ReadKconfig(path)
		if err != nil || c.Set("CONFIG_CC_IS_CLANG") || c.Value("CONFIG_SYMBOL_NUMBER_17") != "m" {
			b.Fatal(err)
		}
	}
}

// What this machine's kernels say of themselves is understood.
func TestRealKernels(t *testing.T) {
	t.Parallel()
	for _, k := range realKernels(t) {
		if !k.Config.Set("CONFIG_MODULES") || k.Suffix == "" || k.HeaderRelease() != k.Release {
			t.Errorf("%s: CONFIG_MODULES=%q, suffix %q, headers of %q", k.Release, k.Config.Value("CONFIG_MODULES"), k.Suffix, k.HeaderRelease())
		}
		if tools := k.toolchain(os.Getenv("PATH")); tools.CC == "" && len(tools.Missing) == 0 {
			t.Errorf("%s: no compiler known from %q", k.Release, k.Config.Value("CONFIG_CC_VERSION_TEXT"))
		}
	}
}
