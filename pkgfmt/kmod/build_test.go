package kmod

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

func TestBuild(t *testing.T) {
	t.Parallel()
	for _, k := range realKernels(t) {
		_, b := builtSample(t, k)
		if b.Kernel.Release != k {
			t.Errorf("built for %s; want %s", b.Kernel.Release, k)
		}
		checkBuilt(t, b)
	}
}

func checkBuilt(t *testing.T, b Built) {
	t.Helper()
	var files []string
	for _, m := range b.Modules {
		files = append(files, m.File)
		module, err := ko.Open(m.Path)
		if err != nil {
			t.Fatal(err)
		}
		if module.Release() != b.Kernel.Release {
			t.Errorf("%s is for %s; want %s", m.File, module.Release(), b.Kernel.Release)
		}
		hash, err := system.Hash(m.Path)
		if err != nil || hash != m.Hash {
			t.Errorf("%s: Hash %s; want %s, %v", m.File, m.Hash, hash, err)
		}
		if b.Kernel.Config.Set("CONFIG_DEBUG_INFO") && (!hasDebug(m.Debug) || hasDebug(m.Path)) {
			t.Errorf("%s: debug information: in %q %v, in the module %v; want it in the first only", m.File, m.Debug, hasDebug(m.Debug), hasDebug(m.Path))
		}
		if info, err := os.Stat(m.Path); err != nil || info.Size() != m.Size {
			t.Errorf("%s: Size %d; want that of the file, %v", m.File, m.Size, err)
		}
	}
	if diff := cmp.Diff([]string{"sample-core" + b.Kernel.Suffix, "sample_pci" + b.Kernel.Suffix}, files); diff != "" {
		t.Errorf("modules (-want +got):\n%s", diff)
	}
	config, err := system.Hash(b.Kernel.ConfigFile)
	if err != nil || b.ConfigHash != config || len(b.SymversHash) != 64 {
		t.Errorf("ConfigHash, SymversHash = %s, %s; want %s and another, %v", b.ConfigHash, b.SymversHash, config, err)
	}
	if b.Fingerprint.Source == "" || b.Fingerprint.Compiler == "" || b.KernelCompiler == "" || len(b.Symvers) < 1000 {
		t.Errorf("inputs of the build: %+v, %q, %d symbols", b.Fingerprint, b.KernelCompiler, len(b.Symvers))
	}
	if len(b.Warnings) > 0 {
		t.Errorf("warnings: %q", b.Warnings)
	}
}

// nobodyEnv tells the test binary that it is the other user of TestBuildSame,
// and where to write what came out.
const nobodyEnv = "KMOD_TEST_NOBODY"

// outcome is all of a build that anybody could tell from another's.
type outcome struct {
	Fingerprint kbuild.Fingerprint
	Modules     map[string][2]string // hashes of the module and of its debug information
}

func outcomeOf(t *testing.T, b Built) outcome {
	t.Helper()
	o := outcome{Fingerprint: b.Fingerprint, Modules: map[string][2]string{}}
	for _, m := range b.Modules {
		o.Modules[m.File] = [2]string{m.Hash, hashOf(t, m.Debug)}
	}
	return o
}

// TestBuildSame: neither the directories nor the umask nor the user, who may do
// nothing, show in what comes out, debug information and the hash of the inputs
// included.
func TestBuildSame(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	another := func() outcome {
		dir := mkdir(t, filepath.Join(t.TempDir(), "another-much-longer-name"))
		b := build(t, describe(t, sample), Options{Kernels: []string{k}, Debug: true, Scratch: dir})[0]
		checkBuilt(t, b)
		return outcomeOf(t, b)
	}
	if path := os.Getenv(nobodyEnv); path != "" {
		text, err := json.Marshal(another())
		if err != nil {
			t.Fatal(err)
		}
		put(t, path, string(text))
		return
	}
	_, one := builtSample(t, k)
	var got outcome
	if os.Getuid() == 0 {
		got = asNobody(t)
	} else {
		got = another()
	}
	if diff := cmp.Diff(outcomeOf(t, one), got); diff != "" {
		t.Errorf("two builds differ (-one +another):\n%s", diff)
	}
}

// asNobody has the other user build.
func asNobody(t *testing.T) (o outcome) {
	t.Helper()
	needs(t, "setpriv")
	dir := t.TempDir()
	program := filepath.Join(dir, "kmod.test")
	treetest.WriteProgram(t, program, read(t, "/proc/self/exe"))
	home := mkdir(t, filepath.Join(dir, "tmp"))
	for _, path := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(home, 0o1777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs",
		"sh", "-c", `umask 077; exec "$0" -test.run '^TestBuildSame$' -test.v`, program)
	cmd.Dir = "/"
	outcome := filepath.Join(home, "outcome")
	cmd.Env = []string{"PATH=" + system.SafePath, "HOME=/nonexistent", "TMPDIR=" + home, "CI=" + os.Getenv("CI"), nobodyEnv + "=" + outcome}
	if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), "--- PASS: ") != 1 {
		t.Fatalf("as nobody: %v\n%s", err, out)
	}
	if err := json.Unmarshal([]byte(read(t, outcome)), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func mkdir(t *testing.T, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func hashOf(t *testing.T, path string) string {
	t.Helper()
	if path == "" {
		return ""
	}
	hash, err := system.Hash(path)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// fakeTree is a directory of kernels with one whose headers are those of
// release, a real one, and whose modules have the suffix.
func fakeTree(t *testing.T, release, suffix string) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, release, "modules.dep"), "kernel/fs/none.ko"+suffix+":\n")
	put(t, filepath.Join(dir, release, "kernel/fs/none.ko"+suffix), "")
	if err := os.Symlink(filepath.Join(plainPrefix, release, "build"), filepath.Join(dir, release, "build")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// pair makes a key and its certificate.
func pair(t *testing.T) ko.KeyPair {
	t.Helper()
	p := ko.KeyPair{Key: filepath.Join(t.TempDir(), "key"), Cert: filepath.Join(t.TempDir(), "cert")}
	if _, err := ko.Ensure(p, true); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestBuildSigned: modules are stripped, then signed, then compressed as the
// kernel's are.
func TestBuildSigned(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	_, ready := builtSample(t, k)
	command := "cp"
	for _, m := range plain(t, ready) {
		command += " " + m.Path
	}
	d := describe(t, sample)
	conf := filepath.Join(d.Dir, "dkms.conf")
	put(t, conf, read(t, conf)+"MAKE=\""+command+" .\"\n")
	b := build(t, d, Options{Kernels: []string{k}, InstallTree: fakeTree(t, k, ".xz"), Key: pair(t)})[0]
	if len(b.Modules) != 2 {
		t.Errorf("%d modules; want 2", len(b.Modules))
	}
	for _, m := range b.Modules {
		module, err := ko.Open(m.Path)
		if err != nil {
			t.Fatal(err)
		}
		if !module.Signed || !strings.HasSuffix(m.File, ".ko.xz") || !strings.HasPrefix(read(t, m.Path), "\xfd7zXZ") || m.Debug != "" {
			t.Errorf("%s: signed %v, debug %q; want it signed and compressed", m.File, module.Signed, m.Debug)
		}
	}
}

func TestBuildRefused(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	bare := t.TempDir()
	put(t, filepath.Join(bare, "6.9.0", "build", "include", "config", "auto.conf"), "CONFIG_MODULES=y\n")
	put(t, filepath.Join(bare, "6.9.1", "modules.order"), "")
	one, two := pair(t), pair(t)
	locked := filepath.Join(t.TempDir(), "key.locked")
	put(t, locked, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n")
	for _, tt := range []struct {
		name string
		edit func(o *Options, conf *string)
		kind dkms.Kind
		want string
	}{
		{"no kernel", func(o *Options, _ *string) { o.Kernels = nil }, dkms.Usage, "--kernel: is missing"},
		{"odd kernel", func(o *Options, _ *string) { o.Kernels = []string{"../x"} }, dkms.Usage, "--kernel ../x: is no release of a kernel"},
		{"twice", func(o *Options, _ *string) { o.Kernels = []string{k, k} }, dkms.Usage, "is named twice"},
		{"unknown kernel", func(o *Options, _ *string) { o.Kernels = []string{"9.9.9-none"} }, dkms.HeadersMissing, "9.9.9-none"},
		{"no headers", func(o *Options, _ *string) { o.Kernels, o.InstallTree = []string{"6.9.1"}, bare }, dkms.HeadersMissing, "headers of 6.9.1: not installed"},
		{"ksym without checksums", func(o *Options, _ *string) { o.Kernels, o.InstallTree, o.ABI = []string{"6.9.0"}, bare, Ksym }, dkms.Usage,
			"kernel 6.9.0: is built without CONFIG_MODVERSIONS"},
		{"bad scratch", func(o *Options, _ *string) { o.Scratch += "/with space" }, dkms.Usage, "is no directory that make can build in"},
		{"one headers for two", func(o *Options, _ *string) { o.Kernels, o.Headers = []string{k, "x"}, "/h" }, dkms.Usage, "--kernelsourcedir: is for one kernel"},
		{"excluded", func(_ *Options, c *string) { *c += "BUILD_EXCLUSIVE_KERNEL=\"^2\\.\"\n" }, dkms.Excluded, "BUILD_EXCLUSIVE_KERNEL"},
		{"bad conf", func(_ *Options, c *string) { *c += "AUTOINSTALL=perhaps\n" }, dkms.ConfInvalid, "AUTOINSTALL"},
		{"dependency", func(_ *Options, c *string) { *c += "BUILD_DEPENDS=other\n" }, dkms.DependsMissing, "is built against other"},
		{"dependency twice", func(o *Options, _ *string) {
			o.Depends = []kbuild.Depend{{Name: "a", Symvers: "/a"}, {Name: "a", Symvers: "/b"}}
		}, dkms.Usage, "--symvers a: is given twice"},
		{"dependency of nobody", func(o *Options, _ *string) { o.Depends = []kbuild.Depend{{Name: "a", Symvers: "/a"}} }, dkms.Usage,
			"--symvers a: is no package that Sample/1.0 depends on"},
		{"dependency nowhere", func(o *Options, c *string) {
			o.Depends = []kbuild.Depend{{Name: "a", Symvers: "/nowhere"}}
			*c += "BUILD_DEPENDS=a\n"
		}, dkms.Usage, "--symvers a=/nowhere: cannot be read: "},
		{"dependency without symbols", func(o *Options, c *string) {
			o.Depends = []kbuild.Depend{{Name: "a", Symvers: bare}}
			*c += "BUILD_DEPENDS=a\n"
		}, dkms.Usage, "has no Module.symvers for " + k},
		{"no modules", func(_ *Options, c *string) { *c = "PACKAGE_NAME=Sample\nPACKAGE_VERSION=1.0\n" }, dkms.ModuleNotProduced, "names no module"},
		{"does not compile", func(_ *Options, c *string) { *c += "MAKE=\"echo 'a.c:1:1: error: no' && false\"\n" }, dkms.MakeFailed, "a.c:1"},
		{"key missing", func(o *Options, _ *string) { o.Key = ko.KeyPair{Key: "/nowhere/key", Cert: "/nowhere/cert"} }, dkms.SigningFailed,
			"--key /nowhere/key: cannot be read: no such file"},
		{"another's certificate", func(o *Options, _ *string) { o.Key = ko.KeyPair{Key: one.Key, Cert: two.Cert} }, dkms.SigningFailed,
			"is not the certificate of the key " + one.Key},
		{"certificate missing", func(o *Options, _ *string) { o.Key = ko.KeyPair{Key: one.Key, Cert: "/nowhere"} }, dkms.SigningFailed,
			"--cert /nowhere: cannot be read: no such file"},
		{"key encrypted", func(o *Options, _ *string) { o.Key = ko.KeyPair{Key: locked, Cert: one.Cert} }, dkms.SigningFailed, "key.locked: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := describe(t, sample)
			path := filepath.Join(d.Dir, "dkms.conf")
			text := read(t, path)
			o := Options{Kernels: []string{k}, Scratch: t.TempDir()}
			tt.edit(&o, &text)
			put(t, path, text)
			built, err := Build(t.Context(), d, o)
			var problem *dkms.Error
			if len(built) > 0 || !errors.As(err, &problem) || problem.Kind != tt.kind || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Build = %d, %v (%+v); want kind %d and %q", len(built), err, problem, tt.kind, tt.want)
			}
		})
	}
}
