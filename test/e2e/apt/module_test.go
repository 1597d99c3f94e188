//go:build e2e

package apt

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/aptbox"
)

// TestModuleUpgrade takes a package in Debian's style through versions that
// compile and versions that do not. Its prerm removes the old one before the
// new one is there, as dh_dkms would have it; with us the old module stays
// until there is a new one.
func TestModuleUpgrade(t *testing.T) {
	t.Parallel()
	m := newSmall(t)
	upgrade := func(version, body string) {
		t.Helper()
		m.Apt("install", m.pack(dkmsDeb("foo", version, body)))
		m.Settled()
	}
	upgrade("1.1", good)
	m.Has(m.Old, "foo", "1.1")
	m.Check(0)
	if left := m.treeOf("1.0"); len(left) > 0 {
		t.Errorf("left of the version before: %v", left)
	}
	if aptbox.SelfIsStock() {
		return
	}

	// Twice, because the second finds a retired version that it never built.
	for _, version := range []string{"1.2", "1.3"} {
		before := m.Identity(m.Modules(m.Old))
		upgrade(version, broken)
		m.Has(m.Old, "foo", "1.1")
		m.Same("upgrade to "+version, before, m.Identity(m.Modules(m.Old)))
		m.Check(1, `foo/`+version+`.*`+m.Old+`(.|\n)*`+fmt.Sprintf(brokenAt, "foo"))
	}

	// A kernel that comes now gets what there is: nothing of foo.
	m.Apt("install", "linux-headers-{NEW}")
	m.Settled()
	m.Same("the new kernel", nil, m.Modules(m.Generic))
	m.Has(m.Old, "foo", "1.1")
	m.CheckWith([]string{"-k", m.Generic}, 1, `foo/1\.3.*`+m.Generic)

	upgrade("1.4", good)
	m.Has(m.Old, "foo", "1.4")
	m.HasFile(m.Generic, "foo")
	m.Check(0)
	for _, version := range []string{"1.1", "1.2", "1.3"} {
		if left := m.treeOf(version); len(left) > 0 {
			t.Errorf("left of %s: %v", version, left)
		}
	}
	if got := m.shown("/var/lib/dkms/foo/*"); len(got) != 3 { // 1.4, and what is active for each kernel
		t.Errorf("in the tree: %v", got)
	}
}

// TestModuleDowngrade goes back, past a version that did not compile.
func TestModuleDowngrade(t *testing.T) {
	long(t)
	onlyOurs(t)
	t.Parallel()
	m := newSmall(t)
	first := "/root/debs/foo-dkms_1.0.deb"
	m.Apt("install", m.pack(dkmsDeb("foo", "1.1", broken)))
	m.Has(m.Old, "foo", "1.0")
	before := m.Identity(m.Modules(m.Old))
	m.Apt("install", "--allow-downgrades", first)
	m.Settled()
	m.Check(0)
	m.Has(m.Old, "foo", "1.0")
	m.Same("the same module again", before, m.Identity(m.Modules(m.Old)))
	m.Apt("install", m.pack(dkmsDeb("foo", "1.2", good)))
	m.Has(m.Old, "foo", "1.2")
	m.Apt("install", "--allow-downgrades", first)
	m.Settled()
	m.Check(0)
	m.Has(m.Old, "foo", "1.0")
	if left := append(m.treeOf("1.1"), m.treeOf("1.2")...); len(left) > 0 {
		t.Errorf("left of newer versions: %v", left)
	}
}

// TestModuleReinstall is the same version again: by apt, and by dpkg, of which
// a package that was rebuilt with another source may be part.
func TestModuleReinstall(t *testing.T) {
	long(t)
	t.Parallel()
	m := newSmall(t)
	want := m.Modules(m.Old)
	m.Must("dpkg", "-i", "/root/debs/foo-dkms_1.0.deb")
	m.Settled()
	m.Has(m.Old, "foo", "1.0")
	m.Same("the same again", want, m.Modules(m.Old))
	m.Check(0)

	other := dkmsDeb("foo", "1.0", "MODULE_DESCRIPTION(\"another\");\n")
	m.Must("dpkg", "-i", m.pack(other))
	m.Settled()
	if got := m.Field(m.Old, "foo", "description"); got != "another" {
		t.Errorf("the same version with another source: description %q", got)
	}
	m.Check(0)
	if aptbox.SelfIsStock() {
		return
	}
	before := m.Identity(m.Modules(m.Old))
	m.Must("dpkg", "-i", m.pack(dkmsDeb("foo", "1.0", broken)))
	m.Settled()
	m.Same("the same version, which no longer compiles", before, m.Identity(m.Modules(m.Old)))
	m.Check(2, `foo/1\.0.*`+m.Old) // there, but of another source
}

// TestModuleRemoval removes and purges, also what never compiled.
func TestModuleRemoval(t *testing.T) {
	t.Parallel()
	m := newSmall(t)
	packages := []deb{dkmsDeb("bar", "1.0", good)}
	if !aptbox.SelfIsStock() {
		packages = append(packages, dkmsDeb("bad", "1.0", broken))
	}
	for _, d := range packages {
		m.Apt("install", m.pack(d))
	}
	for _, step := range []struct{ verb, name string }{{"remove", "foo"}, {"purge", "bar"}, {"purge", "bad"}} {
		if step.name == "bad" && aptbox.SelfIsStock() {
			continue
		}
		m.Apt(step.verb, step.name+"-dkms")
		m.Settled()
		m.Lacks(m.Old, step.name)
		if left := m.treeOf(step.name); len(left) > 0 {
			t.Errorf("left of %s after %s: %v", step.name, step.verb, left)
		}
	}
	m.Same("in the end", nil, m.Modules(m.Old))
	m.Check(0)
	if aptbox.SelfIsStock() {
		return
	}

	// Both versions go, when there are two.
	m.Apt("install", "/root/debs/foo-dkms_1.0.deb")
	m.Apt("install", m.pack(dkmsDeb("foo", "1.1", broken)))
	m.Has(m.Old, "foo", "1.0")
	m.Apt("remove", "foo-dkms")
	m.Settled()
	m.Check(0)
	m.Same("both versions removed", nil, m.Modules(m.Old))
	if left := m.treeOf("foo"); len(left) > 0 {
		t.Errorf("left of both versions: %v", left)
	}

	// The engine goes: what it has installed for packages that stay, stays.
	m.Apt("install", "/root/debs/foo-dkms_1.0.deb")
	m.Must("dpkg", "--force-depends", "--remove", "dkms-hook")
	m.Has(m.Old, "foo", "1.0")
	m.Must("/etc/kernel/postinst.d/dkms", m.Old, "/boot/vmlinuz-"+m.Old) // what is left of the engine does nothing
	m.Must("dpkg", "--force-depends", "--purge", "dkms-hook")
	m.Has(m.Old, "foo", "1.0")
	if left := m.Glob("/etc/kernel/*/dkms"); len(left) > 0 {
		t.Errorf("left of the purged engine: %v", left)
	}
	m.Must(append([]string{"dpkg", "-i"}, ours.Debs(t, m.Machine)...)...)
	m.Settled()
	m.Has(m.Old, "foo", "1.0")
	m.Check(0)
}

// TestAbortedUpgrade is an upgrade that dpkg takes back because the new
// package's preinst fails: the old one's prerm has run, its postinst is called
// with abort-upgrade, of which Debian's helper takes no notice.
func TestAbortedUpgrade(t *testing.T) {
	long(t)
	onlyOurs(t)
	t.Parallel()
	m := newSmall(t)
	before := m.Identity(m.Modules(m.Old))
	failing := dkmsDeb("foo", "1.1", good)
	failing.scripts["preinst"] = "exit 1\n"
	path := m.pack(failing)
	if r := m.Run("dpkg", "-i", path); r.Status == 0 {
		t.Fatalf("the preinst did not fail: %s", r)
	}
	m.Must("dpkg", "--configure", "-a")
	m.Settled()
	if got := strings.TrimSpace(m.Must("dpkg-query", "-W", "-f", "${Version}", "foo-dkms").Stdout); got != "1.0" {
		t.Fatalf("after the abort, foo-dkms is %s", got)
	}
	m.Same("aborted upgrade", before, m.Identity(m.Modules(m.Old)))

	// The package is as wanted as before: the next kernel gets it, too.
	m.Apt("install", "linux-headers-{NEW}")
	m.Settled()
	m.Has(m.Old, "foo", "1.0")
	m.HasFile(m.Generic, "foo")
	m.Check(0)

	// And it can be upgraded, and removed.
	m.Apt("install", m.pack(dkmsDeb("foo", "1.2", good)))
	m.Has(m.Old, "foo", "1.2")
	m.HasFile(m.Generic, "foo")
	m.Apt("purge", "foo-dkms")
	m.Settled()
	m.Same("purged", nil, m.AllModules())
}
