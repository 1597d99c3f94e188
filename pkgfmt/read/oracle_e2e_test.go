//go:build e2e

package read_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt/read"
	"github.com/dkms-hook/dkms-hook/pkgfmt/readtest"
)

// largest is the size of the packages that are compared: the others are the
// same, only longer.
const largest = 2 << 20

// TestOracleDebian: dpkg-deb and inspect say the same of Debian's packages.
func TestOracleDebian(t *testing.T) {
	t.Parallel()
	oracle(t, "../../build/e2e/debs/*.deb", "../../build/e2e/rootfs/root/var/cache/apt/archives/*.deb")
}

// TestOracleOurs: the formats' tools and inspect say the same of our packages.
func TestOracleOurs(t *testing.T) {
	t.Parallel()
	oracle(t, "../../dist/*.deb", "../../dist/*.rpm")
}

func oracle(t *testing.T, patterns ...string) {
	n := 0
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if info, err := os.Stat(path); err != nil || info.Size() > largest && !strings.Contains(pattern, "dist") {
				continue
			}
			readtest.Agree(t, path)
			n++
		}
	}
	if n == 0 {
		t.Errorf("no package in %s: make packages debs rootfs", strings.Join(patterns, ", "))
	}
	t.Logf("%d packages", n)
}

// TestOracleModules: modinfo and modprobe say the same of modules in a kernel's
// package.
func TestOracleModules(t *testing.T) {
	t.Parallel()
	const deb = "../../build/e2e/debs/linux-image.deb"
	dir := t.TempDir()
	run(t, "/bin/sh", "-c", "dpkg-deb --fsys-tarfile "+deb+" | tar -C "+dir+" --wildcards -x '*/dummy.ko' '*/e1000e.ko' '*/ext4.ko' '*/snd-pcm.ko'")
	r, err := read.Options{Symbols: true}.Inspect(context.Background(), deb)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, m := range r.Modules {
		if m.Problem != "" || m.Vermagic == "" || !m.Signed {
			t.Errorf("%s: problem %q, vermagic %q, signed %v", m.Path, m.Problem, m.Vermagic, m.Signed)
		}
		path := filepath.Join(dir, m.Path)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		compared++
		var theirs, ours strings.Builder
		for field, value := range map[string]string{
			"name": m.Name, "version": m.Version, "license": m.License, "vermagic": m.Vermagic, "srcversion": m.SrcVersion, "description": m.Description,
			"depends": strings.Join(m.Depends, ","), "firmware": strings.Join(m.Firmware, "\n"), "signer": m.Signer, "sig_key": m.Key, "sig_hashalgo": m.Hash,
		} {
			fmt.Fprintf(&theirs, "%s: %s\n", field, strings.TrimSpace(run(t, "modinfo", "-F", field, path)))
			fmt.Fprintf(&ours, "%s: %s\n", field, strings.TrimSpace(value))
		}
		fmt.Fprintf(&theirs, "%d aliases\n", strings.Count(run(t, "modinfo", "-F", "alias", path), "\n"))
		fmt.Fprintf(&ours, "%d aliases\n", m.Aliases)
		versions := strings.Fields(strings.ReplaceAll(run(t, "modprobe", "--dump-modversions", path), "\t", " "))
		known := map[string]string{}
		for _, s := range m.Needed {
			known[s.Name] = s.CRC
		}
		for i := 0; i+1 < len(versions); i += 2 {
			fmt.Fprintf(&theirs, "%s %s\n", versions[i], versions[i+1])
			fmt.Fprintf(&ours, "%s %s\n", known[versions[i+1]], versions[i+1])
		}
		if diff := cmp.Diff(theirs.String(), ours.String()); diff != "" {
			t.Errorf("%s (-modinfo +inspect):\n%s", m.Path, diff)
		}
	}
	if compared != 4 || len(r.Modules) < 1000 {
		t.Errorf("compared %d of %d modules; want 4 of some thousand", compared, len(r.Modules))
	}
}

// run returns what a program prints, which has to succeed.
func run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin", "LC_ALL=C"}
	if strings.HasPrefix(args[0], "mod") {
		cmd.Path = filepath.Join("/sbin", args[0])
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
