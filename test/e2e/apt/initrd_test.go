//go:build e2e

package apt

import (
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/qemu"
)

// TestInitramfs counts how often the initial RAM file system of a kernel is
// made, and looks for the module in it.
func TestInitramfs(t *testing.T) {
	long(t)
	onlyOurs(t)
	t.Parallel()
	m := newSmall(t) // foo belongs into the initial RAM file system
	for _, c := range []struct {
		name    string
		command []string
		made    int // by the kernel's own package, or by us
	}{
		{"kernel", []string{"install", "linux-image-{NEW}", "linux-headers-{NEW}"}, 1},
		{"new version of the module", []string{"install", m.pack(dkmsDeb("foo", "1.1", good))}, 1},
		{"a module that is not in it", []string{"install", m.pack(dkmsDeb("other", "1.0", good))}, 0},
		{"a module that asks for it", []string{"install", m.pack(dkmsDeb("asking", "1.0", good, "REMAKE_INITRD=yes"))}, 1},
		{"one that asks, and one that is in it", []string{"install", m.pack(dkmsDeb("asking", "1.1", good, "REMAKE_INITRD=yes")), m.pack(dkmsDeb("foo", "1.2", good))}, 1},
		{"nothing to do", []string{"install", "--reinstall", "xz-utils"}, 0},
	} {
		count := m.countInitramfs()
		m.Apt(c.command...)
		m.Settled()
		if got := count(m.Generic); got != c.made {
			t.Errorf("%s: the initial RAM file system was made %d times; want %d", c.name, got, c.made)
		}
	}
	m.Has(m.Generic, "foo", "1.2")
	if got := m.versionInInitramfs(m.Generic, "foo"); got != "1.2" {
		t.Errorf("the initial RAM file system has foo %q; want 1.2", got)
	}
	m.Check(0)
}

// countInitramfs has every making of an initial RAM file system from now on
// noted down. The function that it returns counts those for a kernel.
func (m machine) countInitramfs() func(release string) int {
	m.WriteProgram("/etc/initramfs-tools/hooks/e2e", "#!/bin/sh\n[ \"$1\" = prereqs ] || echo \"$version\" >>/root/initramfs.log\n")
	m.RemoveAll("/root/initramfs.log")
	return func(release string) (count int) {
		if !m.Exists("/root/initramfs.log") {
			return 0
		}
		for line := range strings.Lines(string(m.Read("/root/initramfs.log"))) {
			if strings.TrimSpace(line) == release {
				count++
			}
		}
		return count
	}
}

func (m machine) versionInInitramfs(release, module string) string {
	m.RemoveAll("/root/initramfs")
	m.Must("unmkinitramfs", "/boot/initrd.img-"+release, "/root/initramfs")
	r := m.Must("sh", "-c", "modinfo -F version $(find /root/initramfs -name '"+module+".ko*')")
	return strings.TrimSpace(r.Stdout)
}

// bootScript runs in the virtual machine, after the modules were loaded that
// the initial RAM file system was made for.
const bootScript = `#!/bin/sh
[ "$1" = prereqs ] && exit
while read -r module rest; do echo "E2E has $module"; done </proc/modules
echo "E2E release: $(uname -r)"
echo o >/proc/sysrq-trigger
sleep 60
`

// TestLoad boots a kernel that apt has brought, with the initial RAM file
// system that was made then, as Debian makes it.
func TestLoad(t *testing.T) {
	long(t)
	t.Parallel()
	qemu.Need(t)
	m := newSmall(t)
	m.RemoveAll("/etc/initramfs-tools/conf.d/e2e")
	m.WriteProgram("/etc/initramfs-tools/scripts/init-premount/e2e", bootScript)
	hello := "#include <linux/init.h>\nstatic int __init hello(void) { pr_info(\"foo %s says hello\\n\", THIS_MODULE->version); return 0; }\nmodule_init(hello);\n" +
		"static void __exit bye(void) {}\nmodule_exit(bye);\n"
	m.Apt("install", m.pack(dkmsDeb("foo", "1.1", hello)))
	runs := len(m.runs(0))
	m.Apt("install", "linux-image-amd64", "linux-headers-amd64")
	m.Settled()
	once(t, m.runs(runs))
	m.Has(m.Generic, "foo", "1.1")
	m.Check(0)
	out := qemu.Boot(t, m.Box, "/boot/vmlinuz-"+m.Generic, "/boot/initrd.img-"+m.Generic, "")
	for _, want := range []string{"foo 1.1 says hello", "E2E has foo", "E2E release: " + m.Generic} {
		if !strings.Contains(out, want) {
			t.Errorf("the virtual machine never says %q", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}
