//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInterchange has one program add, build and install what the other lists,
// uninstalls and removes, on one machine. Debian 12's DKMS is the other; but it
// never puts an original back, nor keeps Module.symvers, so for these it is
// Debian 13's.
func TestInterchange(t *testing.T) {
	plain, special := []pack{bbswitch}, []pack{it87}
	if *full {
		plain = append(plain, chainBase, acpiCall, v4l2loopback, writeboost)
		special = append(special, chainBase, chainTop)
	}
	for _, c := range []struct {
		first, second engine
		packs         []pack
	}{
		{ours, older, plain},
		{older, ours, plain},
		{ours, stock, special},
		{stock, ours, special},
	} {
		t.Run(c.first.name+" then "+c.second.name, func(t *testing.T) {
			t.Parallel()
			handOver(t, c.first, c.second, c.packs)
		})
	}
}

func handOver(t *testing.T, first, second engine, packs []pack) {
	var sources []string
	for _, p := range packs {
		sources = append(sources, p.source)
	}
	m := newMachine(t, first, sources...)
	before := m.installed(t)

	// The first program fills the machine …
	for _, p := range packs {
		m.want(t, 0, "add", p.ref())
		m.want(t, 0, "install", p.ref(), "-k", "{K}")
		if len(p.needs) == 0 && p.name != v4l2loopback.name { // not for the cloud kernel
			m.want(t, 0, "build", p.ref(), "-k", "{C}")
		}
	}
	filled := m.observe(t, 0)
	rows := statesOf(filled[statusLines])

	// … the second sees the same, and has nothing to do …
	m.become(t, second)
	if diff := cmp.Diff(rows, statesOf(m.observe(t, 0)[statusLines])); diff != "" {
		t.Errorf("status of what %s left (-%s +%s):\n%s", first.name, first.name, second.name, diff)
	}
	for _, p := range packs {
		m.want(t, 0, "build", p.ref(), "-k", "{K}")
		m.want(t, 0, "install", p.ref(), "-k", "{K}")
	}
	if diff := cmp.Diff(filled[modules], m.installed(t)); diff != "" {
		t.Errorf("%s changed what %s had installed:\n%s", second.name, first.name, diff)
	}

	// … takes some away, of which the first knows then …
	for _, p := range slices.Backward(packs) {
		m.want(t, 0, "uninstall", p.ref(), "-k", "{K}")
		m.want(t, 0, "unbuild", p.ref(), "-k", "{C}")
	}
	if diff := cmp.Diff(before, m.installed(t)); diff != "" {
		t.Errorf("/lib/modules after %s uninstalled what %s had installed (-before +after):\n%s", second.name, first.name, diff)
	}
	m.become(t, first)
	for _, p := range packs {
		want := []string{p.ref() + ", " + m.generic + ", x86_64: built"}
		if diff := cmp.Diff(want, lines(m.dkms("status", p.ref()).Stdout)); diff != "" {
			t.Errorf("status by %s after %s uninstalled:\n%s", first.name, second.name, diff)
		}
		m.want(t, 0, "install", p.ref(), "-k", "{K}")
	}
	if diff := cmp.Diff(filled[modules], m.installed(t)); diff != "" {
		t.Errorf("/lib/modules after %s installed again:\n%s", first.name, diff)
	}

	// … and removes all.
	m.become(t, second)
	for _, p := range slices.Backward(packs) {
		m.want(t, 0, "remove", p.ref(), "--all")
	}
	end := m.observe(t, 0)
	if diff := cmp.Diff(before, end[modules]); diff != "" {
		t.Errorf("/lib/modules in the end (-before +after):\n%s", diff)
	}
	if left := end[tree]; len(left) > 0 {
		t.Errorf("left in the tree: %v", left)
	}
}

// become puts another engine onto the machine.
func (m *machine) become(t *testing.T, e engine) {
	t.Helper()
	m.engine = e
	e.install(t, m.Box)
}

// statesOf gives sorted status lines their present wording: 3.0.10 says some
// things in other words.
func statesOf(rows []string) []string {
	words := strings.NewReplacer(
		" (WARNING! Diff between built and installed module!)", " (Differences between built and installed modules)",
		" (original_module exists)", " (Original modules exist)",
	)
	var out []string
	for _, r := range rows {
		out = append(out, words.Replace(r))
	}
	slices.Sort(out)
	return out
}
