// Package qemu boots a kernel in a virtual machine without any hardware
// support, and tells what it said on its serial line. It is for end-to-end
// tests that load a module into the kernel that it was built for.
package qemu

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// bootLimit is ten times what a boot takes on an idle machine.
const bootLimit = 3 * time.Minute

// Need skips the test, or fails it when CI=true, unless QEMU is here.
func Need(tb testing.TB) {
	tb.Helper()
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		box.Lacks(tb, "qemu-system-x86_64")
	}
}

// Boot starts a kernel with an initial RAM file system, both paths in the box,
// and further words for its command line. It returns what was said until the
// machine powered off.
func Boot(tb testing.TB, b *box.Box, vmlinuz, initrd, words string) string {
	tb.Helper()
	dir := tb.TempDir()
	kernel, ram := filepath.Join(dir, "vmlinuz"), filepath.Join(dir, "initrd")
	for to, from := range map[string]string{kernel: vmlinuz, ram: initrd} {
		if err := os.WriteFile(to, b.Read(from), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), bootLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64",
		"-accel", "tcg", "-cpu", "max", "-m", "512", "-smp", "1", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-serial", "stdio", "-kernel", kernel, "-initrd", ram,
		"-append", "console=ttyS0 panic=-1 loglevel=7 nokaslr mitigations=off "+words)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		tb.Errorf("qemu: %v after %v", err, time.Since(begin))
	}
	tb.Logf("booted and ended in %v", time.Since(begin).Round(time.Second))
	return out.String()
}
