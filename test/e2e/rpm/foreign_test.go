//go:build e2e

package rpm

import "testing"

// Packages that were not made for us keep a module through everything that dnf
// does to them, also where DKMS itself would lose it, and have it for every
// kernel, also where they ask for the running one only.
func TestForeign(t *testing.T) {
	t.Parallel()
	now, next := running(t), kernels(t)[1]
	for _, name := range cut(1, []string{"nvid", "nega", "zed", "mkr"}) {
		s := foreign[name]
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, engine, now.Core(), now.Devel(), next.Core(), next.Devel())
			pkg := module{Module: name, Style: s}.Name()
			for _, step := range []struct{ action, edition, want string }{
				{"install", "-1.0-1", "1.0-1"},
				{"upgrade", "-1.0-2", "1.0-2"},
				{"reinstall", "-1.0-2", "1.0-2"},
				{"upgrade", "-1.1-1", "1.1-1"},
				{"downgrade", "-1.0-2", "1.0-2"},
				{"remove", "", ""},
			} {
				if r := h.Dnf(step.action, pkg+step.edition); !h.wantEdition(name, step.want, now, next) {
					t.Fatalf("that was after:\n%s", r)
				}
			}
			h.wantNothingAbout(name, now, next)
		})
	}
}

// When what a foreign package brings does not compile, dnf succeeds, and the
// module that worked stays.
func TestForeignBroken(t *testing.T) {
	t.Parallel()
	k := running(t)
	for _, name := range cut(1, []string{"nvid", "nega", "zed", "mkr"}) {
		s := foreign[name]
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, engine, k.Core(), k.Devel())
			pkg := module{Module: name, Style: s}.Name()
			h.Dnf("install", pkg+"-1.1-1")
			before := h.identity(k, name)
			r := h.DnfAnyhow("upgrade", pkg+"-1.2-1")
			if !h.wantEdition(name, "1.1-1", k) {
				t.Fatalf("that was after:\n%s", r)
			}
			h.wantIdentity(before, k, name)
			h.Check(1)
			h.Dnf("upgrade", pkg+"-1.3-1")
			h.wantEdition(name, "1.3-1", k)
			h.Check(0)
			h.wantVersions(name, "1.3")
		})
	}
}
