//go:build e2e

package apt

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/aptbox"
)

// debian are packages of Debian's that compile for its newest kernel.
func debian() []string {
	return cut(4, []string{"v4l2loopback-dkms", "bbswitch-dkms", "ddcci-dkms", "nat-rtsp-dkms", "acpi-call-dkms",
		"dm-writeboost-dkms", "rapiddisk-dkms", "tp-smapi-dkms", "west-chamber-dkms", "evdi-dkms"})
}

// TestDebian takes Debian's own packages through apt, with Debian's dkms and
// with us in its place. Both must give the same module files, and what was
// installed with one must stay when the other takes over.
func TestDebian(t *testing.T) {
	t.Parallel()
	packages := debian()
	theirs := newMachine(t)
	theirs.Apt("install", "linux-headers-amd64", "linux-headers-cloud-amd64")
	theirs.Engine(stock)
	theirs.Apt(append([]string{"install"}, packages...)...)
	want := theirs.AllModules()
	if len(want) < len(packages) {
		t.Fatalf("the oracle installed only %v", want)
	}
	t.Run("life", func(t *testing.T) { t.Parallel(); life(t, packages, want) })
	t.Run("take over", func(t *testing.T) { t.Parallel(); takeOver(t, theirs.on(t), packages) })
}

func life(t *testing.T, packages []string, want map[string]string) {
	m := newMachine(t)
	m.Apt("install", "linux-headers-amd64", "linux-headers-cloud-amd64")
	m.Engine(ours)

	m.Apt(append([]string{"install"}, packages...)...)
	m.Settled()
	m.Check(0)
	m.Same("install", want, m.AllModules())

	runs := len(m.runs(0))
	m.Apt(append([]string{"install", "--reinstall"}, packages...)...)
	m.Settled()
	m.Check(0)
	m.Same("reinstall", want, m.AllModules())
	once(t, m.runs(runs))

	first := packages[0]
	left := maps.Clone(want)
	for _, path := range owned(m, first) {
		delete(left, path)
	}
	m.Apt("remove", first)
	m.Settled()
	m.Check(0)
	m.Same("remove of "+first, left, m.AllModules())
	m.Apt("install", first)
	m.Same("install of "+first, want, m.AllModules())

	m.Apt("purge", "--autoremove", packages[0], packages[1])
	m.Apt(append([]string{"purge"}, packages[2:]...)...)
	m.Settled()
	m.Check(0)
	if *full {
		m.Apt("purge", "xtables-addons-dkms") // west-chamber's
	}
	m.Same("purge", nil, m.AllModules())
	if left := m.shown("/var/lib/dkms/*"); len(left) > 0 {
		t.Errorf("left of purged packages: %v", left)
	}
	if left := m.Glob("/lib/modules/*/updates"); len(left) > 0 && !aptbox.SelfIsStock() {
		t.Errorf("left of purged packages: %v", left)
	}
}

// owned returns the module files that a package has brought, as the engine's
// tree tells.
func owned(m machine, debianPackage string) (paths []string) {
	name := strings.TrimSuffix(debianPackage, "-dkms")
	built := map[string]bool{}
	for _, path := range m.Glob("/var/lib/dkms/" + name + "/*/*/*/module/*") {
		built[path[strings.LastIndex(path, "/")+1:]] = true
	}
	for path := range m.AllModules() {
		if built[path[strings.LastIndex(path, "/")+1:]] {
			paths = append(paths, path)
		}
	}
	return paths
}

// shown is Glob without the files whose names begin with a dot.
func (m machine) shown(pattern string) []string {
	return slices.DeleteFunc(m.Glob(pattern), func(path string) bool {
		return strings.HasPrefix(path[strings.LastIndex(path, "/")+1:], ".") || strings.Contains(path, "/mok.")
	})
}

// once fails the test if a run has built a target that another has built too.
func once(t *testing.T, runs []run) {
	t.Helper()
	for target, times := range did(runs, "built") {
		if times > 1 {
			t.Errorf("%s was built %d times", target, times)
		}
	}
}

// takeOver replaces Debian's dkms by us, and us by it again.
func takeOver(t *testing.T, m machine, packages []string) {
	onlyOurs(t)
	modules := m.AllModules()
	files := m.Identity(modules)
	status := m.Must("dkms", "status").Stdout

	m.Engine(ours)
	m.Settled()
	m.Same("after taking over", files, m.Identity(modules))
	if got := m.Must("dkms", "status").Stdout; states(got) != states(status) {
		t.Errorf("after taking over, status says\n%s\nand said\n%s", got, status)
	}
	m.Check(0)
	for _, event := range [][]string{
		{"dkms-hook", "sync"},
		{"/etc/kernel/postinst.d/dkms", m.Generic, "/boot/vmlinuz-" + m.Generic},
		{"/etc/kernel/header_postinst.d/dkms", m.Cloud},
		{"dkms-hook", "hook", "boot"},
	} {
		m.Must(event...)
		m.Same("after "+strings.Join(event, " "), files, m.Identity(modules))
	}
	if built := did(m.runs(0), "built"); len(built) > 0 {
		t.Errorf("after taking over, these were built again: %v", built)
	}
	m.Same("in the end", modules, m.AllModules())

	m.Engine(stock)
	m.Settled()
	m.Same("after giving back", files, m.Identity(modules))
	if got := m.Must("dkms", "status").Stdout; states(got) != states(status) {
		t.Errorf("after giving back, status says\n%s\nand said\n%s", got, status)
	}
	m.Apt("install", "linux-headers-{OLD}")
	m.Settled()
	m.HasFile(m.Old, "bbswitch") // by Debian's dkms

	// With modules of three kernels, purged: nothing of ours is in the way.
	m.Apt(append([]string{"purge"}, packages...)...)
	if *full {
		m.Apt("purge", "xtables-addons-dkms")
	}
	m.Same("purged after giving back", nil, m.AllModules())
}

// states are status lines without remarks in parentheses: 3.0.10 makes one of
// a module that another kernel flavour got, too.
func states(status string) string {
	var out strings.Builder
	for line := range strings.Lines(status) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " (")
		out.WriteString(line + "\n")
	}
	return out.String()
}

// TestNotCompiling installs two packages of Debian's that do not compile for
// its newest kernel, and one that does.
func TestNotCompiling(t *testing.T) {
	onlyOurs(t)
	t.Parallel()
	m := newMachine(t)
	m.Apt("install", "linux-headers-amd64") // without an image, check looks at kernels with headers
	m.Engine(ours)
	m.Apt("install", "lttng-modules-dkms", "openrazer-driver-dkms", "bbswitch-dkms")
	m.Settled()
	m.Check(1, named("lttng-modules", m.Generic), named("openrazer-driver", m.Generic))
	m.HasFile(m.Generic, "bbswitch")

	// What is as before is not tried again, but still named.
	const logs = "/var/lib/dkms/*/*/.log/*/*/make.log"
	before := m.IdentityOf(logs)
	if len(before) != 2 {
		t.Errorf("logs of failures: %v", before)
	}
	m.Apt("install", "acpi-call-dkms")
	m.Settled()
	m.Check(1, named("lttng-modules", m.Generic), named("openrazer-driver", m.Generic))
	m.Same("another event with the same inputs", before, m.IdentityOf(logs))
	m.HasFile(m.Generic, "acpi_call")

	if *full {
		// Another kernel is another input: the failing ones are tried, the others there.
		m.Apt("install", "linux-headers-cloud-amd64")
		m.Settled()
		m.HasFile(m.Cloud, "bbswitch")
		if got := m.Glob("/var/lib/dkms/lttng-modules/*/.log/" + m.Cloud + "/*/make.log"); len(got) != 1 {
			t.Errorf("logs of lttng-modules for the second kernel: %v", got)
		}
	}
	m.Apt("purge", "lttng-modules-dkms", "openrazer-driver-dkms")
	m.Settled()
	m.Check(0)
}

// named is what check says of a package that does not compile: where the first
// error is.
func named(name, release string) string {
	return name + `/\S+.*` + release + `(.|\n)*\.[ch]:\d+`
}
