//go:build e2e

package rpm

import "testing"

// Packages that were not made for us keep a module through everything that dnf
// does to them, also where DKMS itself would lose it.
func TestForeign(t *testing.T) {
	k := kernels(t)[0]
	for name, s := range foreign {
		t.Run(s.name, func(t *testing.T) {
			if s.name == mkrpm.name {
				long(t)
			}
			h := newHost(t, engine.name, k.core(), k.devel())
			file := func(edition string) string {
				return module{Module: name, Style: s}.Name() + "-" + edition
			}
			step := func(what, edition string, dnf ...string) {
				t.Helper()
				before := len(h.t.Name())
				_ = before
				h.dnf(dnf...)
				h.wantEdition(name, edition, k)
				if t.Failed() {
					t.Fatalf("after: %s", what)
				}
			}
			step("installation", "1.0-1", "install", file("1.0-1"))
			step("new release of the version", "1.0-2", "upgrade", file("1.0-2"))
			step("reinstallation", "1.0-2", "reinstall", file("1.0-2"))
			step("upgrade", "1.1-1", "upgrade", file("1.1-1"))
			step("downgrade", "1.0-2", "downgrade", file("1.0-2"))
			step("erasure", "", "remove", module{Module: name, Style: s}.Name())
			h.wantNothingAbout(name, k)
		})
	}
}
