//go:build e2e

package apt

import (
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/aptbox"
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
				"postinst": "modinfo -k " + m.Old + " -F version foo >/root/needy\n",
			}}
			command := []string{"install", m.pack(needy), m.pack(dkmsDeb("foo", "1.0", good)), m.pack(dkmsDeb("other", "1.0", good))}
			if c.engine {
				command = append(command, ours.Debs(t, m.Machine)...)
			} else {
				m.Engine(ours)
			}
			m.Apt(command...)
			m.Settled()
			if got := strings.TrimSpace(string(m.Read("/root/needy"))); got != "1.0" {
				t.Errorf("while needy was configured, foo's version was %q", got)
			}
			m.Has(m.Old, "foo", "1.0")
			m.Has(m.Old, "other", "1.0")
			m.Check(0)
			if !aptbox.SelfIsStock() {
				proveOneRun(t, m, m.runs(0))
			}

			// An upgrade of what it depends on is awaited as well.
			m.Apt("install", m.pack(dkmsDeb("foo", "1.1", good)), "--reinstall", "/root/debs/needy_1.deb")
			m.Settled()
			if got := strings.TrimSpace(string(m.Read("/root/needy"))); got != "1.1" {
				t.Errorf("while needy was configured again, foo's version was %q", got)
			}
		})
	}
}
