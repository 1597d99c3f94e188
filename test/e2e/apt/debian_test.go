//go:build e2e

package apt

import (
	"maps"
	"slices"
	"strings"
	"testing"
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
	theirs.apt("install", "linux-headers-amd64", "linux-headers-cloud-amd64")
	theirs.engine(stock)
	theirs.apt(append([]string{"install"}, packages...)...)
	want := theirs.allModules()
	if len(want) < len(packages) {
		t.Fatalf("the oracle installed only %v", want)
	}
	t.Run("life", func(t *testing.T) { t.Parallel(); life(t, packages, want) })
	t.Run("take over", func(t *testing.T) { t.Parallel(); takeOver(t, theirs.on(t), packages) })
}

func life(t *testing.T, packages []string, want map[string]string) {
	m := newMachine(t)
	m.apt("install", "linux-headers-amd64", "linux-headers-cloud-amd64")
	m.engine(ours)

	m.apt(append([]string{"install"}, packages...)...)
	m.settled()
	m.check(0)
	m.same("install", want, m.allModules())

	runs := len(m.runs(0))
	m.apt(append([]string{"install", "--reinstall"}, packages...)...)
	m.settled()
	m.check(0)
	m.same("reinstall", want, m.allModules())
	once(t, m.runs(runs))

	first := packages[0]
	left := maps.Clone(want)
	for _, path := range owned(m, first) {
		delete(left, path)
	}
	m.apt("remove", first)
	m.settled()
	m.check(0)
	m.same("remove of "+first, left, m.allModules())
	m.apt("install", first)
	m.same("install of "+first, want, m.allModules())

	m.apt("purge", "--autoremove", packages[0], packages[1])
	m.apt(append([]string{"purge"}, packages[2:]...)...)
	m.settled()
	m.check(0)
	if *full {
		m.apt("purge", "xtables-addons-dkms") // west-chamber's
	}
	m.same("purge", nil, m.allModules())
	if left := m.shown("/var/lib/dkms/*"); len(left) > 0 {
		t.Errorf("left of purged packages: %v", left)
	}
	if left := m.Glob("/lib/modules/*/updates"); len(left) > 0 && !selfIsStock() {
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
	for path := range m.allModules() {
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
	modules := m.allModules()
	files := m.identity(modules)
	status := m.Must("dkms", "status").Stdout

	m.engine(ours)
	m.settled()
	m.same("after taking over", files, m.identity(modules))
	if got := m.Must("dkms", "status").Stdout; states(got) != states(status) {
		t.Errorf("after taking over, status says\n%s\nand said\n%s", got, status)
	}
	m.check(0)
	for _, event := range [][]string{
		{"dkms-hook", "sync"},
		{"/etc/kernel/postinst.d/dkms", m.generic, "/boot/vmlinuz-" + m.generic},
		{"/etc/kernel/header_postinst.d/dkms", m.cloud},
		{"dkms-hook", "hook", "boot"},
	} {
		m.Must(event...)
		m.same("after "+strings.Join(event, " "), files, m.identity(modules))
	}
	if built := did(m.runs(0), "built"); len(built) > 0 {
		t.Errorf("after taking over, these were built again: %v", built)
	}
	m.same("in the end", modules, m.allModules())

	m.engine(stock)
	m.settled()
	m.same("after giving back", files, m.identity(modules))
	if got := m.Must("dkms", "status").Stdout; states(got) != states(status) {
		t.Errorf("after giving back, status says\n%s\nand said\n%s", got, status)
	}
	m.apt("install", "linux-headers-{OLD}")
	m.settled()
	m.hasFile(m.old, "bbswitch") // by Debian's dkms

	// With modules of three kernels, purged: nothing of ours is in the way.
	m.apt(append([]string{"purge"}, packages...)...)
	if *full {
		m.apt("purge", "xtables-addons-dkms")
	}
	m.same("purged after giving back", nil, m.allModules())
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
	m.apt("install", "linux-headers-amd64") // without an image, check looks at kernels with headers
	m.engine(ours)
	m.apt("install", "lttng-modules-dkms", "openrazer-driver-dkms", "bbswitch-dkms")
	m.settled()
	m.check(1, named("lttng-modules", m.generic), named("openrazer-driver", m.generic))
	m.hasFile(m.generic, "bbswitch")

	// What is as before is not tried again, but still named.
	const logs = "/var/lib/dkms/*/*/.log/*/*/make.log"
	before := m.identityOf(logs)
	if len(before) != 2 {
		t.Errorf("logs of failures: %v", before)
	}
	m.apt("install", "acpi-call-dkms")
	m.settled()
	m.check(1, named("lttng-modules", m.generic), named("openrazer-driver", m.generic))
	m.same("another event with the same inputs", before, m.identityOf(logs))
	m.hasFile(m.generic, "acpi_call")

	if *full {
		// Another kernel is another input: the failing ones are tried, the others there.
		m.apt("install", "linux-headers-cloud-amd64")
		m.settled()
		m.hasFile(m.cloud, "bbswitch")
		if got := m.Glob("/var/lib/dkms/lttng-modules/*/.log/" + m.cloud + "/*/make.log"); len(got) != 1 {
			t.Errorf("logs of lttng-modules for the second kernel: %v", got)
		}
	}
	m.apt("purge", "lttng-modules-dkms", "openrazer-driver-dkms")
	m.settled()
	m.check(0)
}

// named is what check says of a package that does not compile: where the first
// error is.
func named(name, release string) string {
	return name + `/\S+.*` + release + `(.|\n)*\.[ch]:\d+`
}
