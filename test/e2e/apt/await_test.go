//go:build e2e

package apt

import (
	"strings"
	"testing"
)

// TestAwait configures a package whose script needs the module of another: it
// depends on that, so dpkg must have it built before.
func TestAwait(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		engine  bool   // in the same command as the packages
		depends string // of the one whose script asks
	}{
		{"engine before", false, "foo-dkms"},
		{"engine with it", true, "foo-dkms, dkms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newOldMachine(t)
			needy := deb{name: "needy", version: "1", depends: c.depends, scripts: map[string]string{
				"postinst": "modinfo -k " + m.old + " -F version foo >/root/needy\n",
			}}
			command := []string{"install", m.pack(needy), m.pack(dkmsDeb("foo", "1.0", good)), m.pack(dkmsDeb("other", "1.0", good))}
			if c.engine {
				command = append(command, ours.debs(t, m)...)
			} else {
				m.engine(ours)
			}
			m.apt(command...)
			m.settled()
			if got := strings.TrimSpace(string(m.Read("/root/needy"))); got != "1.0" {
				t.Errorf("while needy was configured, foo's version was %q", got)
			}
			m.has(m.old, "foo", "1.0")
			m.has(m.old, "other", "1.0")
			m.check(0)
			if !selfIsStock() {
				proveOneRun(t, m, m.runs(0))
			}

			// An upgrade of what it depends on is awaited as well.
			m.apt("install", m.pack(dkmsDeb("foo", "1.1", good)), "--reinstall", "/root/debs/needy_1.deb")
			m.settled()
			if got := strings.TrimSpace(string(m.Read("/root/needy"))); got != "1.1" {
				t.Errorf("while needy was configured again, foo's version was %q", got)
			}
		})
	}
}
