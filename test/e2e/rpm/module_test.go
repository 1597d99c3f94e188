//go:build e2e

package rpm

import (
	"strings"
	"testing"
)

// The life of a package that was made for us, on a machine with two kernels.
// Each edition is compiled once for each.
func TestModuleLife(t *testing.T) {
	t.Parallel()
	a, b := kernels(t)[0], kernels(t)[1]
	h := newHost(t, engine, a.Core(), a.Devel(), b.Core(), b.Devel())
	for _, step := range []struct {
		action, edition string
		compiled        string
		want            string
	}{
		{"install", "-1.0-1", "foo/1.0", "1.0-1"},
		{"upgrade", "-1.0-2", "foo/1.0", "1.0-2"},
		{"upgrade", "-1.1-1", "foo/1.1", "1.1-1"},
		{"reinstall", "-1.1-1", "", "1.1-1"},
		{"downgrade", "-1.0-2", "foo/1.0", "1.0-2"},
		{"remove", "", "", ""},
	} {
		r := h.Dnf(step.action, "foo-dkms"+step.edition)
		if !h.wantEdition("foo", step.want, a, b) {
			t.Fatalf("that was after:\n%s", r)
		}
		var compiled []string
		if step.compiled != "" {
			compiled = append(compiled, step.compiled)
		}
		h.wantCompiled(compiled, a, b)
		if version, _, _ := strings.Cut(step.want, "-"); version != "" {
			h.wantVersions("foo", version)
		}
		h.Check(0)
	}
	h.wantNothingAbout("foo", a, b)
}

// A new release of a distribution package whose source is the same compiles
// nothing, and touches no module.
func TestRebuiltPackage(t *testing.T) {
	t.Parallel()
	k := kernels(t)[0]
	h := newHost(t, engine, k.Core(), k.Devel(), "bar-dkms-1.0-1")
	h.wantCompiled([]string{"bar/1.0"}, k)
	before := h.identity(k, "bar")
	h.Dnf("upgrade", "bar-dkms-1.0-2")
	h.wantCompiled(nil)
	h.wantIdentity(before, k, "bar")
	h.Check(0)
}

// An upgrade to what does not compile leaves the module that worked, and dnf
// succeeds; who asks is told what is wrong and where. The next upgrade mends it.
func TestUpgradeToBroken(t *testing.T) {
	t.Parallel()
	a, b := kernels(t)[0], kernels(t)[1]
	h := newHost(t, engine, a.Core(), a.Devel(), b.Core(), b.Devel(), "foo-dkms-1.1-1")
	h.compiled()
	before := h.identity(a, "foo") + h.identity(b, "foo")
	r := h.Dnf("upgrade", "foo-dkms-1.2-1")
	for _, word := range []string{"foo/1.2", "no_such_thing"} {
		if !strings.Contains(r.Stdout+r.Stderr, word) {
			t.Errorf("the transaction does not speak of %s:\n%s", word, r)
		}
	}
	h.wantCompiled([]string{"foo/1.2"}, a, b)
	h.wantEdition("foo", "1.1-1", a, b)
	if after := h.identity(a, "foo") + h.identity(b, "foo"); after != before {
		t.Errorf("the modules that worked are other files: %s; were %s", after, before)
	}
	said := h.Check(1)
	for _, word := range []string{"foo/1.2", a.Uname(), b.Uname(), "foo.c:", "no_such_thing"} {
		if !strings.Contains(said.Stdout+said.Stderr, word) {
			t.Errorf("check does not speak of %s:\n%s", word, said)
		}
	}

	// Nothing has changed: nothing is tried again, and the module stays.
	h.Dnf("install", "bar-dkms-1.0-1")
	h.wantCompiled([]string{"bar/1.0"}, a, b)
	h.wantEdition("foo", "1.1-1", a, b)

	h.Dnf("upgrade", "foo-dkms-1.3-1")
	h.wantCompiled([]string{"foo/1.3"}, a, b)
	h.wantEdition("foo", "1.3-1", a, b)
	h.wantVersions("foo", "1.3")
	h.Check(0)
}

// Downgrading away from what does not compile, and erasing it, leave nothing of
// it behind.
func TestLeaveBroken(t *testing.T) {
	t.Parallel()
	k := kernels(t)[0]
	h := newHost(t, engine, k.Core(), k.Devel(), "foo-dkms-1.1-1")
	h.Dnf("upgrade", "foo-dkms-1.2-1")
	h.compiled()
	h.Dnf("downgrade", "foo-dkms-1.1-1")
	h.wantCompiled(nil) // it has been there all the time
	h.wantEdition("foo", "1.1-1", k)
	h.wantVersions("foo", "1.1")
	h.Check(0)
	h.Dnf("upgrade", "foo-dkms-1.2-1")
	h.Dnf("remove", "foo-dkms")
	h.wantNothingAbout("foo", k)
	h.Check(0)
}

// Several packages in one transaction are one run.
func TestOneRun(t *testing.T) {
	t.Parallel()
	a, b := kernels(t)[0], kernels(t)[1]
	h := newHost(t, engine, a.Core(), a.Devel(), b.Core(), b.Devel())
	h.runs()
	h.Dnf("install", "foo-dkms-1.0-1", "bar-dkms-1.0-1", "bad-dkms-1.0-1")
	var events []string
	did := map[string]int{}
	for _, r := range h.runs() {
		building := false
		for _, o := range r.Outcomes {
			did[o.Did]++
			building = building || o.Did == "built" || o.Did == "failed"
		}
		if building {
			events = append(events, r.Event)
		}
	}
	if len(events) != 1 || events[0] != "hook rpm-trigger" {
		t.Errorf("runs that build: %q; want one, of the file trigger", events)
	}
	if did["built"] != 4 || did["failed"] != 2 || did["installed"] != 4 {
		t.Errorf("outcomes %v; want 4 built, 4 installed, 2 failed", did)
	}
	h.wantEdition("foo", "1.0-1", a, b)
	h.wantEdition("bar", "1.0", a, b)
}
