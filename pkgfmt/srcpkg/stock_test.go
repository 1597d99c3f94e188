package srcpkg

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// formats runs a test for both, with dkms as the engine.
func formats(t *testing.T, test func(t *testing.T, m *machine)) {
	t.Helper()
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			test(t, newMachine(t, f, "dkms"))
		})
	}
}

// failing is the status of a package's installation that could not build.
func (m *machine) failing() int {
	if m.format == pkgfmt.Deb {
		return 1
	}
	return 0
}

// TestStockLife: with dkms itself, no upgrade that goes well passes through a
// state without a module, and one that does not leaves the old one.
func TestStockLife(t *testing.T) {
	t.Parallel()
	formats(t, func(t *testing.T, m *machine) {
		one := m.packed("1.0", "", "one", "", "bar")
		two := m.packed("2.0", "", "two", "")
		three := m.packed("3.0", "", "three", "broken\n")
		mended := m.packed("2.0", "2", "two, mended", "")
		worse := m.packed("2.0", "3", "two, worse", "broken\n")
		elsewhere := m.packed("4.0", "", "four", "excluded\n")

		if status, said := m.install(one); status != 0 {
			t.Fatalf("install: %d: %s", status, said)
		}
		m.wantModule("install", "foo", "one")
		m.wantModule("install", "bar", "one")
		m.calls()
		was := one
		for _, c := range []struct {
			what     string
			p        thing
			foo, bar string
			fails    bool
			versions []string // that the tree holds then
			builds   int
		}{
			{"upgrade", two, "two", "", false, []string{"2.0"}, 2},
			{"upgrade to what does not compile", three, "two", "", true, []string{"2.0", "3.0"}, 2},
			{"downgrade to what is still there", two, "two", "", false, []string{"2.0"}, 0},
			{"reinstallation", two, "two", "", false, []string{"2.0"}, 0},
			{"another source by the same name", mended, "two, mended", "", false, []string{"2.0"}, 2},
			{"one that does not compile", worse, "two, mended", "", true, []string{"2.0"}, 2},
			{"upgrade to what is for other kernels", elsewhere, "two, mended", "", false, []string{"2.0", "4.0"}, 2},
			{"downgrade", one, "one", "one", false, []string{"1.0"}, 2},
			{"upgrade to what does not compile, again", three, "one", "one", true, []string{"1.0", "3.0"}, 2},
			{"upgrade from there", two, "two", "", false, []string{"2.0"}, 2},
		} {
			status, said := m.replace(was, c.p)
			want := 0
			if c.fails {
				want = m.failing()
			}
			if status != want || c.fails != strings.Contains(said, "could not be installed for 6.1-rt 6.1: what was there before has stayed") {
				t.Errorf("%s: status %d, says %q; want %d", c.what, status, said, want)
			}
			m.wantModule(c.what, "foo", c.foo)
			m.wantModule(c.what, "bar", c.bar)
			if got := m.versions(); !slices.Equal(got, c.versions) {
				t.Errorf("%s: the tree has %q; want %q", c.what, got, c.versions)
			}
			before := m.log
			if n := strings.Count(strings.Join(m.calls(), "\n"), "dkms build "); n != c.builds {
				t.Errorf("%s: built %d times; want %d", c.what, n, c.builds)
			}
			m.log = before
			m.wantNever(c.what)
			was = c.p
		}
		m.remove(was)
		m.wantNothing("removal")
	})
}

// versions are those in the tree.
func (m *machine) versions() (out []string) {
	paths, _ := filepath.Glob(filepath.Join(m.root, "var/lib/dkms/foo/[0-9]*"))
	for _, path := range paths {
		out = append(out, filepath.Base(path))
	}
	return out
}

// TestStockRemoveAfterFailure: what an upgrade that failed has kept goes with
// the package.
func TestStockRemoveAfterFailure(t *testing.T) {
	t.Parallel()
	formats(t, func(t *testing.T, m *machine) {
		one, bad := m.packed("1.0", "", "one", ""), m.packed("2.0", "", "two", "broken\n")
		m.install(one)
		m.replace(one, bad)
		m.wantModule("failed upgrade", "foo", "one")
		if m.format == pkgfmt.Deb { // as dpkg --configure has it
			if status, _ := m.run(bad.Package, "postinst", "configure", "1.0"); status != 1 {
				t.Errorf("second try: status %d; want 1", status)
			}
			m.wantModule("second try", "foo", "one")
		}
		m.remove(bad)
		m.wantNothing("removal")
	})
}

// TestStockOneKernelFails: each kernel by itself has the new or the old module.
func TestStockOneKernelFails(t *testing.T) {
	t.Parallel()
	formats(t, func(t *testing.T, m *machine) {
		one, two := m.packed("1.0", "", "one", ""), m.packed("2.0", "", "two", "")
		m.install(one)
		m.calls()
		dkms, err := os.ReadFile(filepath.Join(m.root, "bin/dkms"))
		if err != nil {
			t.Fatal(err)
		}
		m.write("bin/dkms", strings.Replace(string(dkms), "build)\n", "build)\n\t[ \"$k\" = 6.1 ] || exit 10\n", 1), 0o755)
		status, said := m.replace(one, two)
		if status != m.failing() || !strings.Contains(said, "foo 2.0 could not be installed for 6.1-rt: what") {
			t.Errorf("status %d, says %q; want %d, and the kernel's name", status, said, m.failing())
		}
		m.wantModules("upgrade", "foo", "two", "one")
		m.wantNever("upgrade")
		m.write("bin/dkms", string(dkms), 0o755)
		three := m.packed("3.0", "", "three", "")
		m.replace(two, three)
		m.wantModule("next upgrade", "foo", "three")
		if got := m.versions(); !slices.Equal(got, []string{"3.0"}) {
			t.Errorf("the tree has %q", got)
		}
		m.wantNever("next upgrade")
		m.remove(three)
		m.wantNothing("removal")
	})
}

// TestStockHeadersGone: a kernel without headers keeps what it has.
func TestStockHeadersGone(t *testing.T) {
	t.Parallel()
	formats(t, func(t *testing.T, m *machine) {
		one, two := m.packed("1.0", "", "one", ""), m.packed("2.0", "", "two", "")
		m.install(one)
		if err := os.RemoveAll(filepath.Join(m.root, "lib/modules/6.1/build")); err != nil {
			t.Fatal(err)
		}
		if status, said := m.replace(one, two); status != 0 {
			t.Errorf("status %d: %s", status, said)
		}
		m.wantModules("upgrade", "foo", "one", "two")
		m.remove(two)
		m.wantNothing("removal")
	})
}

// TestStockByHand: what does not say AUTOINSTALL is built where it was, only.
func TestStockByHand(t *testing.T) {
	t.Parallel()
	m := newMachine(t, pkgfmt.RPM, "dkms")
	one, two := m.packed("1.0", "", "one", "# by hand\n"), m.packed("2.0", "", "two", "# by hand\n")
	m.install(one)
	m.wantModule("install", "foo", "")
	m.run(pkgfmt.Package{Scripts: map[string]string{"by hand": "dkms build -m foo -v 1.0 -k 6.1 && dkms install -m foo -v 1.0 -k 6.1\n"}}, "by hand")
	m.replace(one, two)
	m.wantModules("upgrade", "foo", "two", "")
	m.remove(two)
	m.wantNothing("removal")
}

// TestStockSwitchedOff: with this file there, nothing is built, and nothing goes.
func TestStockSwitchedOff(t *testing.T) {
	t.Parallel()
	formats(t, func(t *testing.T, m *machine) {
		one, two := m.packed("1.0", "", "one", ""), m.packed("2.0", "", "two", "")
		m.install(one)
		m.write("etc/dkms/no-autoinstall", "", 0o644)
		if status, said := m.replace(one, two); status != 0 || strings.Contains(said, "Building") {
			t.Errorf("status %d, says %q", status, said)
		}
		m.wantModule("upgrade", "foo", "one")
		m.remove(two)
		m.wantNothing("removal")
	})
}

// TestStockCalledOff: dpkg takes an upgrade back before it has unpacked the new
// package, or a removal.
func TestStockCalledOff(t *testing.T) {
	t.Parallel()
	m := newMachine(t, pkgfmt.Deb, "dkms")
	one, two := m.packed("1.0", "", "one", ""), m.packed("2.0", "", "two", "")
	m.install(one)
	before := m.all("var/lib/dkms")
	m.calls()
	m.prepare(one, two)
	if status, said := m.run(one.Package, "postinst", "abort-upgrade", "2.0"); status != 0 || said != "" || m.calls() != nil {
		t.Errorf("abort-upgrade: status %d, says %q", status, said)
	}
	m.wantModule("abort-upgrade", "foo", "one")
	if diff := cmp.Diff(before, m.all("var/lib/dkms")); diff != "" {
		t.Errorf("abort-upgrade: the tree (-before +now):\n%s", diff)
	}
	if to, _ := os.Readlink(filepath.Join(m.root, "var/lib/dkms/foo/1.0/source")); to != m.root+"/usr/src/foo-1.0" {
		t.Errorf("abort-upgrade: the source is %s", to)
	}

	m.run(one.Package, "prerm", "remove")
	m.wantModule("prerm remove", "foo", "")
	if status, said := m.run(one.Package, "postinst", "abort-remove"); status != 0 {
		t.Errorf("abort-remove: status %d, says %q", status, said)
	}
	m.wantModule("abort-remove", "foo", "one")
}

// TestStockForeignDeb: Debian's own packages do not know that anything is kept.
func TestStockForeignDeb(t *testing.T) {
	t.Parallel()
	m := newMachine(t, pkgfmt.Deb, "dkms")
	one := m.packed("1.0", "", "one", "")
	m.install(one)
	m.calls()
	m.write("var/lib/dpkg/tmp.ci/postinst", "#!/bin/sh\n/usr/lib/dkms/common.postinst foo 2.0 /usr/share/foo-dkms \"\" $2\n", 0o755)
	if status, said := m.run(one.Package, "prerm", "upgrade", "2.0"); status != 0 {
		t.Errorf("status %d: %s", status, said)
	}
	if got := m.calls(); len(got) != 1 || !strings.HasPrefix(got[0], "dkms remove foo/1.0 --all ") {
		t.Errorf("calls %q; want remove", got)
	}
	m.wantModule("prerm upgrade", "foo", "")
	if got := m.versions(); got != nil {
		t.Errorf("the tree has %q", got)
	}
}

// TestStockForeignRPM: packages of others know of what is kept neither before us
// nor after us.
func TestStockForeignRPM(t *testing.T) {
	t.Parallel()
	m := newMachine(t, pkgfmt.RPM, "dkms")
	foreign := pkgfmt.Package{Format: pkgfmt.RPM, Scripts: map[string]string{
		"post": "dkms add -m foo -v 1.0; for k in 6.1 6.1-rt; do dkms build -m foo -v 1.0 -k $k; dkms install -m foo -v 1.0 -k $k --force; done\n",
	}}
	one, two, three := m.packed("1.0", "", "one", ""), m.packed("2.0", "", "two", ""), m.packed("3.0", "", "three", "")
	m.unpack(one)
	m.rpm(foreign, "post", "1")
	m.wantModule("foreign package", "foo", "one")

	// It leaves its version behind, as OpenZFS's does; and a person has another.
	m.write("usr/src/foo-0.5/dkms.conf", "", 0o644)
	m.run(pkgfmt.Package{Scripts: map[string]string{"add": "dkms add -m foo -v 0.5\n"}}, "add")
	m.calls()
	m.replace(thing{foreign, "1.0"}, two)
	m.wantModule("upgrade from it", "foo", "two")
	m.wantNever("upgrade from it")
	if got := m.versions(); !slices.Equal(got, []string{"0.5", "2.0"}) {
		t.Errorf("upgrade from it: the tree has %q", got)
	}
	if left := m.all("var/lib/dkms/foo/0.5"); len(left) != 1 {
		t.Errorf("of a person's own, the tree has %q", left)
	}

	// A foreign package comes, whose %pre keeps nothing.
	m.calls()
	m.unpack(three)
	m.rpm(two.Package, "preun", "1")
	if got := m.calls(); len(got) != 1 || !strings.HasPrefix(got[0], "dkms remove foo/2.0 --all --rpm_safe_upgrade ") {
		t.Errorf("upgrade to it: calls %q; want remove", got)
	}
}

// TestStockNote: the notes of --rpm_safe_upgrade do not stay.
func TestStockNote(t *testing.T) {
	t.Parallel()
	m := newMachine(t, pkgfmt.RPM, "dkms")
	one := m.packed("1.0", "", "one", "")
	m.install(one)
	if got := m.calls(); !strings.HasPrefix(got[0], "dkms add foo/1.0 --rpm_safe_upgrade ") {
		t.Errorf("the first call is %q", got[0])
	}
	const notes = "mkdir -p /tmp/; : >/tmp/dkms_rpm_safe_upgrade_lock.$PPID.abc; : >/tmp/dkms_rpm_safe_upgrade_lock.1$PPID.abc\n"
	m.run(pkgfmt.Package{Scripts: map[string]string{"note": notes}}, "note")
	m.rpm(one.Package, "posttrans", "1")
	if got := m.all("tmp"); len(got) != 1 {
		t.Errorf("notes: %q; want that of another transaction only", got)
	}
}

// TestStockUnregistered: what dkms refuses to register is told.
func TestStockUnregistered(t *testing.T) {
	t.Parallel()
	m := newMachine(t, pkgfmt.RPM, "dkms")
	one := m.packed("1.0", "", "one", "")
	if status, _ := m.run(one.Package, "post", "1"); status != 2 { // its files are not here
		t.Errorf("post: status %d; want dkms's", status)
	}
}
