package pkgmgr

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

// engine is interested in the trigger "rebuild", and writes down how its
// postinst is called.
func engine(t *testing.T, r dpkgRoot, interest string) string {
	return deb{
		name: "engine", version: "1", triggers: interest + " rebuild\n",
		scripts: map[string]string{"postinst": "echo \"$@\" >>" + r.in("/called") + "\n"},
	}.build(t)
}

func activator(t *testing.T, r dpkgRoot, how string) string {
	return deb{
		name: "foo-dkms", version: "1",
		scripts: map[string]string{"postinst": r.in("/helper") + " rebuild " + how + " >>" + r.in("/said") + "\n"},
	}.build(t)
}

func read(t *testing.T, elem ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// status returns what dpkg-query says of pkg.
func (r dpkgRoot) status(t *testing.T, pkg string) string {
	t.Helper()
	out, err := exec.Command("dpkg-query", "--admindir="+filepath.Join(r.dir, "var/lib/dpkg"),
		"-W", "-f", "${db:Status-Status}", pkg).CombinedOutput()
	if err != nil {
		t.Fatalf("dpkg-query: %v: %s", err, out)
	}
	return string(out)
}

func TestActivate(t *testing.T) {
	for name, c := range map[string]struct {
		chroot           bool
		interest, how    string
		deferred         string // state of the activating package before triggers are processed
		packageStateThen State
	}{
		"await":                  {false, "interest", "await", "triggers-awaited", Settled},
		"await in a bare chroot": {true, "interest", "await", "triggers-awaited", Settled},
		"no wait":                {false, "interest", "noawait", "installed", Settled},
		"nobody waits for it":    {false, "interest-noawait", "await", "installed", Settled},
	} {
		t.Run(name, func(t *testing.T) {
			r := newDpkgRoot(t, c.chroot)
			t.Setenv("DPKG_ADMINDIR", filepath.Join(r.dir, "var/lib/dpkg"))
			if Interested("rebuild") {
				t.Error("Interested before the engine = true; want false")
			}
			env := []string{helperEnv + "=activate"}
			if !r.dpkg(t, env, "-i", engine(t, r, c.interest)) {
				t.Fatal("the engine cannot be installed")
			}
			if !Interested("rebuild") || Interested("rebuil") {
				t.Error("Interested = false for the engine's trigger, or true for another")
			}
			if !r.dpkg(t, env, "--no-triggers", "-i", activator(t, r, c.how)) {
				t.Fatalf("the activator cannot be installed: %s", read(t, r.dir, "said"))
			}
			if got := read(t, r.dir, "said"); got != "interested: true\n" {
				t.Errorf("the activator said %q", got)
			}
			if got := r.status(t, "foo-dkms"); got != c.deferred {
				t.Errorf("foo-dkms is %q while the trigger is pending; want %q", got, c.deferred)
			}
			if got := PackageState(t.Context(), "foo-dkms"); got != c.packageStateThen {
				t.Errorf("PackageState = %q; want %q", got, c.packageStateThen)
			}
			if got := read(t, r.dir, "called"); got != "configure \n" {
				t.Errorf("the engine's postinst was called with %q too early", got)
			}
			if !r.dpkg(t, env, "--triggers-only", "-a") {
				t.Fatal("triggers cannot be processed")
			}
			if got, want := read(t, r.dir, "called"), "configure \ntriggered rebuild\n"; got != want {
				t.Errorf("the engine's postinst was called with %q; want %q", got, want)
			}
			if !r.dpkg(t, env, "--remove", "engine", "foo-dkms") {
				t.Fatal("cannot be removed")
			}
			if Interested("rebuild") {
				t.Error("Interested after the engine = true; want false")
			}
		})
	}
}

func TestActivateFails(t *testing.T) {
	t.Setenv("DPKG_MAINTSCRIPT_PACKAGE", "")
	if err := Activate(t.Context(), "rebuild", true); !errors.Is(err, ErrNoScript) {
		t.Errorf("Activate outside of dpkg = %v; want %v", err, ErrNoScript)
	}
	t.Setenv("DPKG_MAINTSCRIPT_PACKAGE", "foo-dkms")
	t.Setenv("DPKG_ADMINDIR", filepath.Join(t.TempDir(), "missing"))
	err := Activate(t.Context(), "rebuild", true)
	if err == nil || errors.Is(err, ErrNoScript) || !strings.HasPrefix(err.Error(), "trigger rebuild: dpkg-trigger: exit status 2: ") {
		t.Errorf("Activate without a database = %v; want what dpkg-trigger says", err)
	}
}

func TestInterestedInNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DPKG_ADMINDIR", dir)
	treetest.Write(t, filepath.Join(dir, "triggers/empty"), "")
	treetest.Write(t, filepath.Join(dir, "triggers/File"), "/x engine\n")
	treetest.Write(t, filepath.Join(dir, "status"), "x")
	for _, trigger := range []string{"", ".", "..", "empty", "../status", "/lib/modules", "unknown"} {
		if Interested(trigger) {
			t.Errorf("Interested(%q) = true; want false", trigger)
		}
	}
}
