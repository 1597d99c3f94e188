//go:build e2e

package rpm

import (
	"strings"
	"testing"
)

// A kernel comes, beside the old one: everything is built for it, once, before
// its initrd is made, and nothing for the old one is touched. At the limit for
// kernels the oldest leaves in the same transaction, without a trace.
func TestKernelUpgrade(t *testing.T) {
	t.Parallel()
	all := kernels(t)
	a, b, c := all[0], all[1], all[2]
	h := newHost(t, engine, a.Core(), a.Devel(), "foo-dkms-1.0-1", "bar-dkms-1.0-1")
	h.wantCompiled([]string{"foo/1.0", "bar/1.0"}, a)
	before := h.identity(a, "foo")

	h.Dnf("upgrade", b.Core(), b.Devel())
	h.wantCompiled([]string{"foo/1.0", "bar/1.0"}, b)
	h.wantEdition("foo", "1.0-1", a, b)
	h.wantEdition("bar", "1.0", a, b)
	h.wantInitrd(b, "bar", "foo")
	h.wantIdentity(before, a, "foo")
	h.Check(0)

	h.Dnf("--setopt=installonly_limit=2", "upgrade", c.Core(), c.Devel())
	h.wantCompiled([]string{"foo/1.0", "bar/1.0"}, c)
	h.wantEdition("foo", "1.0-1", b, c)
	h.wantInitrd(c, "bar", "foo")
	h.wantNothingOf(a)
	h.Check(0)
}

// A kernel leaves: with its headers, before and after them. Nothing of it is
// left, and other kernels keep their modules.
func TestKernelRemoval(t *testing.T) {
	t.Parallel()
	all := kernels(t)
	a, stays := all[0], all[1]
	for _, c := range cut(2, []struct {
		name   string
		kernel kernel
		steps  [][]string
	}{
		{"one type of boot entry", all[2], [][]string{{all[2].Core(), all[2].Devel()}}},
		{"headers first", a, [][]string{{a.Devel()}, {a.Core()}}},
		{"at once", a, [][]string{{a.Core(), a.Devel()}}},
		{"image first", a, [][]string{{a.Core()}, {a.Devel()}}},
		{"with the module", a, [][]string{{a.Core(), a.Devel(), "foo-dkms"}}},
	}) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := c.kernel
			h := newHost(t, engine, k.Core(), k.Devel(), stays.Core(), stays.Devel(), "foo-dkms-1.0-1")
			h.wantEdition("foo", "1.0-1", k, stays)
			h.compiled()
			module := ""
			for _, step := range c.steps {
				r := h.Dnf(append([]string{"remove"}, step...)...)
				if strings.Contains(r.Stdout+r.Stderr, "kernel-devel-"+k.Version+" ") {
					t.Errorf("the removal asks for headers:\n%s", r)
				}
				module = step[len(step)-1]
			}
			h.wantNothingOf(k)
			if module == "foo-dkms" {
				h.wantNothingAbout("foo", stays)
			} else {
				h.wantEdition("foo", "1.0-1", stays)
			}
			h.wantCompiled(nil)
			h.Check(0)
		})
	}
}

// Without headers the module is pending, and it is said which package would
// help; when that comes, by itself, the module is built.
func TestHeadersLater(t *testing.T) {
	t.Parallel()
	k := kernels(t)[0]
	h := newHost(t, engine, k.Core())
	r := h.Dnf("install", "foo-dkms-1.0-1")
	want := k.Devel() + "-" + k.Release
	if !strings.Contains(r.Stdout+r.Stderr, want) {
		t.Errorf("the transaction does not name %s:\n%s", want, r)
	}
	h.wantCompiled(nil)
	if said := h.Check(2); !strings.Contains(said.Stdout+said.Stderr, want) {
		t.Errorf("check does not name %s:\n%s", want, said)
	}
	h.Dnf("install", k.Devel())
	h.wantCompiled([]string{"foo/1.0"}, k)
	h.wantEdition("foo", "1.0-1", k)
	h.Check(0)
}

// A kernel is reinstalled: its modules are there when its initrd is made. Its
// old %preun tells kernel-install that it is removed, and cannot be told from a
// removal, so they are compiled again, once.
func TestKernelReinstall(t *testing.T) {
	t.Parallel()
	k := kernels(t)[0]
	h := newHost(t, engine, k.Core(), k.Devel(), "foo-dkms-1.0-1")
	h.wantCompiled([]string{"foo/1.0"}, k)
	h.Must("rm", "/var/log/initrd")
	h.Dnf("reinstall", k.Core(), k.Devel())
	h.wantEdition("foo", "1.0-1", k)
	h.wantInitrd(k, "foo")
	if n := h.compiled()["foo/1.0 "+k.Uname()]; n > 1 {
		t.Errorf("foo was compiled %d times", n)
	}
	h.Check(0)
}

// Our package has headers come with the kernels, now and when newer ones come.
func TestHeadersAlong(t *testing.T) {
	t.Parallel()
	all := kernels(t)
	a, c := all[0], all[2]
	h := newBareHost(t)
	h.Dnf("install", "debian-host-compat", a.Core())
	h.Dnf("install", engine, "foo-dkms-1.0-1", "kernel-devel-matched-"+a.Version)
	h.wantEdition("foo", "1.0-1", a)
	h.Dnf("upgrade", "kernel-core", "kernel-devel-matched")
	h.wantEdition("foo", "1.0-1", a, c)
	h.wantInitrd(c, "foo")
	h.wantCompiled([]string{"foo/1.0"}, a, c)
	h.Check(0)
}
