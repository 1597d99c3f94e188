//go:build e2e

package apt

import (
	"fmt"
	"strings"
	"testing"
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
		m.apt("install", m.pack(dkmsDeb("foo", version, body)))
		m.settled()
	}
	upgrade("1.1", good)
	m.has(m.old, "foo", "1.1")
	m.check(0)
	if left := m.treeOf("1.0"); len(left) > 0 {
		t.Errorf("left of the version before: %v", left)
	}
	if selfIsStock() {
		return
	}

	// Twice, because the second finds a retired version that it never built.
	for _, version := range []string{"1.2", "1.3"} {
		before := m.identity(m.modules(m.old))
		upgrade(version, broken)
		m.has(m.old, "foo", "1.1")
		m.same("upgrade to "+version, before, m.identity(m.modules(m.old)))
		m.check(1, `foo/`+version+`.*`+m.old+`(.|\n)*`+fmt.Sprintf(brokenAt, "foo"))
	}

	// A kernel that comes now gets what there is: nothing of foo.
	m.apt("install", "linux-headers-{NEW}")
	m.settled()
	m.same("the new kernel", nil, m.modules(m.generic))
	m.has(m.old, "foo", "1.1")
	m.checkWith([]string{"-k", m.generic}, 1, `foo/1\.3.*`+m.generic)

	upgrade("1.4", good)
	m.has(m.old, "foo", "1.4")
	m.hasFile(m.generic, "foo")
	m.check(0)
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
	onlyOurs(t)
	t.Parallel()
	m := newSmall(t)
	first := "/root/debs/foo-dkms_1.0.deb"
	m.apt("install", m.pack(dkmsDeb("foo", "1.1", broken)))
	m.has(m.old, "foo", "1.0")
	before := m.identity(m.modules(m.old))
	m.apt("install", "--allow-downgrades", first)
	m.settled()
	m.check(0)
	m.has(m.old, "foo", "1.0")
	m.same("the same module again", before, m.identity(m.modules(m.old)))
	m.apt("install", m.pack(dkmsDeb("foo", "1.2", good)))
	m.has(m.old, "foo", "1.2")
	m.apt("install", "--allow-downgrades", first)
	m.settled()
	m.check(0)
	m.has(m.old, "foo", "1.0")
	if left := append(m.treeOf("1.1"), m.treeOf("1.2")...); len(left) > 0 {
		t.Errorf("left of newer versions: %v", left)
	}
}

// TestModuleReinstall is the same version again: by apt, and by dpkg, of which
// a package that was rebuilt with another source may be part.
func TestModuleReinstall(t *testing.T) {
	t.Parallel()
	m := newSmall(t)
	want := m.modules(m.old)
	m.Must("dpkg", "-i", "/root/debs/foo-dkms_1.0.deb")
	m.settled()
	m.has(m.old, "foo", "1.0")
	m.same("the same again", want, m.modules(m.old))
	m.check(0)

	other := dkmsDeb("foo", "1.0", "MODULE_DESCRIPTION(\"another\");\n")
	m.Must("dpkg", "-i", m.pack(other))
	m.settled()
	if got := m.field(m.old, "foo", "description"); got != "another" {
		t.Errorf("the same version with another source: description %q", got)
	}
	m.check(0)
	if selfIsStock() {
		return
	}
	before := m.identity(m.modules(m.old))
	m.Must("dpkg", "-i", m.pack(dkmsDeb("foo", "1.0", broken)))
	m.settled()
	m.same("the same version, which no longer compiles", before, m.identity(m.modules(m.old)))
	m.check(2, `foo/1\.0.*`+m.old) // there, but of another source
}

// TestModuleRemoval removes and purges, also what never compiled.
func TestModuleRemoval(t *testing.T) {
	t.Parallel()
	m := newSmall(t)
	packages := []deb{dkmsDeb("bar", "1.0", good)}
	if !selfIsStock() {
		packages = append(packages, dkmsDeb("bad", "1.0", broken))
	}
	for _, d := range packages {
		m.apt("install", m.pack(d))
	}
	for _, step := range []struct{ verb, name string }{{"remove", "foo"}, {"purge", "bar"}, {"purge", "bad"}} {
		if step.name == "bad" && selfIsStock() {
			continue
		}
		m.apt(step.verb, step.name+"-dkms")
		m.settled()
		m.lacks(m.old, step.name)
		if left := m.treeOf(step.name); len(left) > 0 {
			t.Errorf("left of %s after %s: %v", step.name, step.verb, left)
		}
	}
	m.same("in the end", nil, m.modules(m.old))
	m.check(0)
	if selfIsStock() {
		return
	}

	// Both versions go, when there are two.
	m.apt("install", "/root/debs/foo-dkms_1.0.deb")
	m.apt("install", m.pack(dkmsDeb("foo", "1.1", broken)))
	m.has(m.old, "foo", "1.0")
	m.apt("remove", "foo-dkms")
	m.settled()
	m.check(0)
	m.same("both versions removed", nil, m.modules(m.old))
	if left := m.treeOf("foo"); len(left) > 0 {
		t.Errorf("left of both versions: %v", left)
	}

	// The engine goes: what it has installed for packages that stay, stays.
	m.apt("install", "/root/debs/foo-dkms_1.0.deb")
	m.Must("dpkg", "--force-depends", "--remove", "dkms-hook")
	m.has(m.old, "foo", "1.0")
	m.Must("/etc/kernel/postinst.d/dkms", m.old, "/boot/vmlinuz-"+m.old) // what is left of the engine does nothing
	m.Must("dpkg", "--force-depends", "--purge", "dkms-hook")
	m.has(m.old, "foo", "1.0")
	if left := m.Glob("/etc/kernel/*/dkms"); len(left) > 0 {
		t.Errorf("left of the purged engine: %v", left)
	}
	m.Must(append([]string{"dpkg", "-i"}, ours.debs(t, m)...)...)
	m.settled()
	m.has(m.old, "foo", "1.0")
	m.check(0)
}

// TestAbortedUpgrade is an upgrade that dpkg takes back because the new
// package's preinst fails: the old one's prerm has run, its postinst is called
// with abort-upgrade, of which Debian's helper takes no notice.
func TestAbortedUpgrade(t *testing.T) {
	onlyOurs(t)
	t.Parallel()
	m := newSmall(t)
	before := m.identity(m.modules(m.old))
	failing := dkmsDeb("foo", "1.1", good)
	failing.scripts["preinst"] = "exit 1\n"
	path := m.pack(failing)
	if r := m.Run("dpkg", "-i", path); r.Status == 0 {
		t.Fatalf("the preinst did not fail: %s", r)
	}
	m.Must("dpkg", "--configure", "-a")
	m.settled()
	if got := strings.TrimSpace(m.Must("dpkg-query", "-W", "-f", "${Version}", "foo-dkms").Stdout); got != "1.0" {
		t.Fatalf("after the abort, foo-dkms is %s", got)
	}
	m.same("aborted upgrade", before, m.identity(m.modules(m.old)))

	// The package is as wanted as before: the next kernel gets it, too.
	m.apt("install", "linux-headers-{NEW}")
	m.settled()
	m.has(m.old, "foo", "1.0")
	m.hasFile(m.generic, "foo")
	m.check(0)

	// And it can be upgraded, and removed.
	m.apt("install", m.pack(dkmsDeb("foo", "1.2", good)))
	m.has(m.old, "foo", "1.2")
	m.hasFile(m.generic, "foo")
	m.apt("purge", "foo-dkms")
	m.settled()
	m.same("purged", nil, m.allModules())
}
