//go:build e2e

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/write"
)

// realMade holds, by file name, what real has made: compressing takes seconds.
var realMade = map[string][]byte{}

// real makes a package with the real program, in some version, and returns its
// path.
func real(t *testing.T, o product, version string, format pkgfmt.Format) string {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	r, err := readRelease("..", "../bin", version)
	if err != nil {
		t.Fatalf("%v: make build makes the programs", err)
	}
	p, err := r.pack(o, format)
	if err != nil {
		t.Fatal(err)
	}
	file := write.FileName(p)
	if realMade[file] == nil {
		if realMade[file], err = bytesOf(r, o, format); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), file)
	if err := os.WriteFile(path, realMade[file], 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLintian: no errors, no warnings, and every override is one that is
// needed, with its reason above it.
func TestLintian(t *testing.T) {
	lacks(t, "lintian")
	for _, o := range products {
		out, err := exec.Command("lintian", "--allow-root", "--tag-display-limit", "0", "--fail-on", "error,warning", real(t, o, "0.1.0", pkgfmt.Deb)).CombinedOutput()
		if err != nil || strings.Contains(string(out), "override") {
			t.Errorf("lintian: %s: %v\n%s", o.name, err, out)
		}
		overrides, err := os.ReadFile("../templates/deb/" + o.name + ".lintian-overrides")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(overrides), "#") {
			t.Errorf("%s.lintian-overrides begins without a reason", o.name)
		}
	}
}

// TestRpmlint: what it finds is answered in rpmlint.toml.
func TestRpmlint(t *testing.T) {
	lacks(t, "rpmlint")
	for _, o := range products {
		out, err := exec.Command("rpmlint", "-c", "rpmlint.toml", real(t, o, "0.1.0", pkgfmt.RPM)).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "0 errors, 0 warnings") {
			t.Errorf("rpmlint: %s: %v\n%s", o.name, err, out)
		}
	}
}

// TestRPMVerifies: RPM itself finds nothing wrong with what we wrote.
func TestRPMVerifies(t *testing.T) {
	lacks(t, "rpm")
	for _, o := range products {
		got := output(t, "rpm", "-Kv", "--nosignature", real(t, o, "0.1.0~git1.abc", pkgfmt.RPM))
		if strings.Contains(got, "BAD") || !strings.Contains(got, "Payload SHA256 digest: OK") {
			t.Errorf("%s: rpm -Kv:\n%s", o.name, got)
		}
	}
	path := real(t, hook, "0.1.0~git1.abc", pkgfmt.RPM)
	got := output(t, "rpm", "-qp", "--nosignature", "--filetriggers", "--scripts", path)
	for _, want := range []string{
		"transfiletriggerin scriptlet (using /bin/sh) -- /usr/src, /lib/modules, /usr/lib/modules",
		"transfiletriggerpostun scriptlet (using /bin/sh) -- /usr/src, /lib/modules, /usr/lib/modules",
		"postinstall scriptlet (using /bin/sh)", "preuninstall scriptlet (using /bin/sh)",
		"postuninstall scriptlet (using /bin/sh)", "posttrans scriptlet (using /bin/sh)",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("rpm -qp --scripts does not have %q:\n%s", want, got)
		}
	}
}

// TestStatic: the programs run where there is no library, or another one's.
func TestStatic(t *testing.T) {
	dir := t.TempDir()
	for _, o := range products {
		output(t, "dpkg-deb", "-x", real(t, o, "0.1.0", pkgfmt.Deb), dir)
		out, err := exec.Command("ldd", filepath.Join(dir, o.path)).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "not a dynamic executable") {
			t.Errorf("ldd: %s: %v\n%s", o.name, err, out)
		}
	}
	if got := output(t, filepath.Join(dir, "usr/sbin/dkms"), "--version"); got != "dkms-"+dkmsLevel+"\n" {
		t.Errorf("dkms --version = %s; want the level that the packages provide, %s", got, dkmsLevel)
	}
}
