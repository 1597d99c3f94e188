//go:build e2e

package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
	"github.com/dkms-hook/dkms-hook/test/e2e/qemu"
)

// initScript is process 1 of the virtual machine.
const initScript = `#!/bin/sh
mount -t proc proc /proc
for m in hwmon-vid it87 chain_base chain_top; do
	insmod /modules/$m.ko && echo "E2E inserted $m"
done
echo "E2E modules: $(cut -d' ' -f1 /proc/modules | sort | tr '\n' ' ')"
rmmod chain_top && echo "E2E removed chain_top"
echo "E2E done"
poweroff -f
`

// TestLoads inserts modules, as they were installed, into the kernel that they
// were built for, in a virtual machine without any hardware support.
func TestLoads(t *testing.T) {
	t.Parallel()
	qemu.Need(t)
	for _, tool := range []string{"busybox", "cpio"} {
		if _, err := exec.LookPath(tool); err != nil {
			box.Lacks(t, tool)
		}
	}
	m := newMachine(t, ours, "it87-eol", "chain-base-1.0", "chain-top-1.0")
	for _, ref := range []string{"it87/eol", "chain-base/1.0", "chain-top/1.0"} {
		m.want(t, 0, "install", ref, "-k", "{K}")
	}
	out := qemu.Boot(t, m.Box, "/boot/vmlinuz-"+m.generic, m.initramfs(), "rdinit=/init")
	for _, want := range []string{
		"it87: eol loaded", // ours, not the kernel's own
		"chain_top: 40 + 2 = 42",
		"E2E inserted it87", "E2E inserted chain_base", "E2E inserted chain_top",
		"E2E modules: chain_base chain_top hwmon_vid it87",
		"E2E removed chain_top",
		"E2E done",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the virtual machine never says %q", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

// initramfs packs busybox and the modules that modprobe would take.
func (m machine) initramfs() string {
	m.WriteProgram("/root/initramfs/init", initScript)
	m.Must("sh", "-ec", `cd /root/initramfs
		mkdir -p bin modules proc dev
		cp "$(command -v busybox)" bin/busybox
		for a in sh mount insmod rmmod cut sort tr poweroff; do ln -s busybox bin/$a; done
		for m in hwmon-vid it87 chain_base chain_top; do
			cp "$(modinfo -k `+m.generic+` -n $m)" modules/$m.ko
		done
		find . | cpio --quiet -o -H newc >/root/initramfs.cpio`)
	return "/root/initramfs.cpio"
}
