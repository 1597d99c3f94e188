package kmod

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
	"github.com/dkms-hook/dkms-hook/pkgfmt/write"
)

// written are packages of the sample, as files by name.
func written(t *testing.T, f pkgfmt.Format, o Options) map[string]string {
	t.Helper()
	var d *source.Description
	var built []Built
	for _, k := range o.Kernels {
		var b Built
		d, b = builtSample(t, k)
		built = append(built, b)
	}
	d.Extra = []pkgfmt.File{{Path: "/etc/modprobe.d/sample.conf", Kind: pkgfmt.Config, Mode: 0o644, Data: []byte("options sample_pci x=1\n")}}
	packages, err := Compose(d, built, f, o)
	if err != nil {
		t.Fatal(err)
	}
	dir, out := t.TempDir(), map[string]string{}
	for _, p := range packages {
		path := filepath.Join(dir, write.FileName(p))
		file, err := os.Create(path)
		if err == nil {
			err = write.To(p, file)
		}
		if err == nil {
			err = file.Close()
		}
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		out[p.Name] = path
	}
	return out
}

func output(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return string(out)
}

// TestWrittenRPM: rpm reads of the file what was composed, and the modules in
// it are those that were built.
func TestWrittenRPM(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	needs(t, "rpm", "rpm2cpio", "cpio", "modinfo")
	files := written(t, pkgfmt.RPM, Options{Kernels: []string{k}, ABI: Ksym, Debug: true})
	if names := keys(files); !slices.Equal(names, []string{"Sample-kmod-common", "kmod-Sample", "kmod-Sample-debuginfo"}) {
		t.Errorf("packages are %q", names)
	}
	file := files["kmod-Sample"]
	provides := strings.Split(output(t, "rpm", "-qp", "--nosignature", "--provides", file), "\n")
	requires := strings.Split(output(t, "rpm", "-qp", "--nosignature", "--requires", file), "\n")
	dir := t.TempDir()
	output(t, "sh", "-euc", `cd "$1"; rpm2cpio "$2" | cpio -idm --quiet`, "sh", dir, file)
	found, err := filepath.Glob(filepath.Join(dir, "lib/modules", k, "extra/Sample/*"))
	if err != nil || len(found) != 2 {
		t.Fatalf("modules in the package: %q, %v", found, err)
	}
	for what, have := range map[string][]string{"provides": provides, "requires": requires} {
		for line := range strings.SplitSeq(oracle(t.Context(), t, what, filepath.Join(plainPrefix, k, "build/Module.symvers"), found), "\n") {
			if !slices.Contains(have, line) {
				t.Errorf("%s lacks %q; it has:\n%s", what, line, strings.Join(have, "\n"))
			}
		}
	}
	for _, want := range []string{"/usr/sbin/weak-modules", "/usr/sbin/depmod", "Sample-kmod-common = 1.0-1"} {
		if !slices.Contains(requires, want) {
			t.Errorf("requires lacks %q", want)
		}
	}
	if out := output(t, "rpm", "-qp", "--nosignature", "--scripts", file); strings.Count(out, "weak-modules --") < 2 || strings.Count(out, "\n/lib/modules/") != 4 || strings.Contains(out, "COPYING") || !strings.Contains(out, "posttrans scriptlet") {
		t.Errorf("scripts are\n%s", out)
	}
}

func keys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// TestWrittenDeb: dpkg reads of the file what was composed. What lintian says,
// test/e2e/mkpkg asks.
func TestWrittenDeb(t *testing.T) {
	t.Parallel()
	kernels := realKernels(t)
	needs(t, "dpkg-deb", "modinfo")
	files := written(t, pkgfmt.Deb, Options{Kernels: kernels, Debug: true})
	for _, k := range kernels {
		file := files["sample-modules-"+k]
		if got := strings.TrimSpace(output(t, "dpkg-deb", "-f", file, "Depends", "Conflicts", "Provides")); got !=
			"Depends: linux-image-"+k+", kmod, sample-modules-common (= 1.0)\nConflicts: sample-dkms\nProvides: sample-modules (= 1.0)" {
			t.Errorf("%s:\n%s", k, got)
		}
		dir := t.TempDir()
		output(t, "dpkg-deb", "-x", file, dir)
		for _, name := range []string{"sample-core", "sample_pci"} {
			found, _ := filepath.Glob(filepath.Join(dir, "lib/modules", k, "updates/sample", name+".ko*"))
			if len(found) != 1 || !strings.HasPrefix(output(t, "/sbin/modinfo", "-F", "vermagic", found[0]), k+" ") {
				t.Errorf("%s: %s is %q", k, name, found)
			}
		}
	}
}
