package pkgmgr

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

func TestPackageState(t *testing.T) {
	r := newDpkgRoot(t, false)
	t.Setenv("DPKG_ADMINDIR", filepath.Join(r.dir, "var/lib/dpkg"))
	foo := deb{name: "foo-dkms", version: "1", scripts: map[string]string{"postinst": "[ ! -e " + r.in("/broken") + " ]\n", "postrm": ":\n"}}.build(t)
	want := func(pkg string, state State) {
		t.Helper()
		if got := PackageState(t.Context(), pkg); got != state {
			t.Errorf("PackageState(%q) = %q; want %q", pkg, got, state)
		}
	}
	want("foo-dkms", Absent)
	r.dpkg(t, nil, "--unpack", foo)
	want("foo-dkms", Unfinished)
	treetest.Write(t, filepath.Join(r.dir, "broken"), "")
	if r.dpkg(t, nil, "--configure", "foo-dkms") {
		t.Fatal("a failing postinst went well")
	}
	want("foo-dkms", Unfinished)
	if err := os.Remove(filepath.Join(r.dir, "broken")); err != nil {
		t.Fatal(err)
	}
	r.dpkg(t, nil, "--configure", "foo-dkms")
	want("foo-dkms", Settled)
	want("foo-dkm*", Absent)
	want("", Absent)
	want("--version", Absent)
	r.dpkg(t, nil, "--remove", "foo-dkms")
	if got := r.status(t, "foo-dkms"); got != "config-files" {
		t.Fatalf("foo-dkms is %q; this test wants it to leave its postrm behind", got)
	}
	want("foo-dkms", Absent)
}

func TestDpkgState(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]State{
		"not-installed": Absent, "config-files": Absent, "": Absent,
		"half-installed": Unfinished, "unpacked": Unfinished, "half-configured": Unfinished,
		"triggers-awaited": Settled, "triggers-pending": Settled, "installed": Settled,
	} {
		if got := dpkgState(status); got != want {
			t.Errorf("dpkgState(%q) = %q; want %q", status, got, want)
		}
	}
	for _, c := range [][3]State{
		{Absent, Unfinished, Unfinished}, {Unfinished, Absent, Unfinished}, {Unfinished, Settled, Settled},
		{Settled, Unfinished, Settled}, {Absent, Absent, Absent}, {Settled, Absent, Settled},
	} {
		if got := further(c[0], c[1]); got != c[2] {
			t.Errorf("further(%q, %q) = %q; want %q", c[0], c[1], got, c[2])
		}
	}
}
