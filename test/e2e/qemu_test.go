//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
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
	for _, tool := range []string{"qemu-system-x86_64", "busybox", "cpio"} {
		if _, err := exec.LookPath(tool); err != nil {
			box.Lacks(t, tool)
		}
	}
	m := newMachine(t, ours, "it87-eol", "chain-base-1.0", "chain-top-1.0")
	for _, ref := range []string{"it87/eol", "chain-base/1.0", "chain-top/1.0"} {
		m.want(t, 0, "install", ref, "-k", "{K}")
	}
	out := boot(t, m.vmlinuz(t), m.initramfs(t))
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

// vmlinuz copies the kernel's image out of the box.
func (m machine) vmlinuz(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "vmlinuz")
	if err := os.WriteFile(path, m.Read("/boot/vmlinuz-"+m.generic), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// initramfs packs busybox and the modules that modprobe would take.
func (m machine) initramfs(tb testing.TB) string {
	tb.Helper()
	m.WriteProgram("/root/initramfs/init", initScript)
	m.Must("sh", "-ec", `cd /root/initramfs
		mkdir -p bin modules proc dev
		cp "$(command -v busybox)" bin/busybox
		for a in sh mount insmod rmmod cut sort tr poweroff; do ln -s busybox bin/$a; done
		for m in hwmon-vid it87 chain_base chain_top; do
			cp "$(modinfo -k `+m.generic+` -n $m)" modules/$m.ko
		done
		find . | cpio --quiet -o -H newc >/root/initramfs.cpio`)
	path := filepath.Join(tb.TempDir(), "initramfs")
	if err := os.WriteFile(path, m.Read("/root/initramfs.cpio"), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// bootLimit is ten times what a boot takes on an idle machine.
const bootLimit = 3 * time.Minute

func boot(tb testing.TB, vmlinuz, initramfs string) string {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bootLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64",
		"-accel", "tcg", "-cpu", "max", "-m", "512", "-smp", "1", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-serial", "stdio", "-kernel", vmlinuz, "-initrd", initramfs,
		"-append", "console=ttyS0 panic=-1 rdinit=/init loglevel=7 nokaslr mitigations=off")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		tb.Errorf("qemu: %v after %v", err, time.Since(begin))
	}
	tb.Logf("booted and ended in %v", time.Since(begin).Round(time.Second))
	return out.String()
}
