//go:build e2e

package mkpkg

import (
	"os/exec"
	"strings"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
	"github.com/dkms-hook/dkms-hook/test/e2e/qemu"
)

// kmodInit is process 1 of the virtual machine.
const kmodInit = `#!/bin/sh
mount -t proc proc /proc
while read -r module; do
	insmod "/modules/$module" && echo "E2E inserted $module"
done </modules/order
echo "E2E modules: $(cut -d' ' -f1 /proc/modules | sort | tr '\n' ' ')"
poweroff -f
`

// boots inserts modules that need no hardware, as they were installed, into the
// kernel that they were built for.
func (m bare) boots() {
	m.TB.Helper()
	qemu.Need(m.TB)
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		box.Lacks(m.TB, "busybox")
	}
	wanted := []string{pairTaker}
	if *full {
		wanted = append(wanted, "gost28147_generic", "magma_generic", "streebog_generic", "v4l2loopback")
	}
	m.WriteProgram("/root/initramfs/bin/busybox", content(m.TB, busybox))
	m.WriteProgram("/root/initramfs/init", kmodInit)
	m.Must(append([]string{"sh", "-ec", `cd /root/initramfs
		mkdir -p modules proc dev
		for a in sh mount insmod cut sort tr poweroff; do ln -s busybox bin/$a; done
		kernel=$1; shift
		# With what they need, in order, and each once.
		for m; do modprobe -S $kernel --show-depends $m; done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >order
		while read -r file; do cp "$file" modules/; basename "$file"; done <order >modules/order
		find . | cpio --quiet -o -H newc >/root/initramfs.cpio`, "sh", m.Generic}, wanted...)...)
	out := qemu.Boot(m.TB, m.Box, "/boot/vmlinuz-"+m.Generic, "/root/initramfs.cpio", "rdinit=/init")
	for _, name := range wanted {
		if !strings.Contains(out, "E2E inserted "+name+".ko") {
			m.TB.Errorf("the virtual machine did not insert %s", name)
		}
	}
	if !strings.Contains(out, "E2E modules: ") || m.TB.Failed() {
		m.TB.Errorf("the virtual machine says:\n%s", out)
	}
}
