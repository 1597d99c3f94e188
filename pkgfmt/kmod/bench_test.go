package kmod

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// missing skips a test that lacks something of the machine, and fails it in CI.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("in CI, and lacks %s", what)
	}
	t.Skipf("needs %s", what)
}

func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := system.LookPath(program, []string{"PATH=" + system.SafePath}); err != nil {
			missing(t, "the program "+program)
		}
	}
}

// realKernels returns the releases of this machine's kernels that one can
// build for, in version order.
func realKernels(t *testing.T) []string {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles")
	}
	needs(t, "make", "gcc", "strip")
	arch, err := kbuild.HostArch()
	if err != nil {
		t.Fatal(err)
	}
	releases, err := kbuild.Releases(plainPrefix)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range releases {
		k, err := kbuild.OpenKernel(kbuild.KernelOptions{ID: dkms.KernelID{Release: r, Arch: arch}, InstallTree: plainPrefix})
		if err == nil && k.Headers && k.HeaderRelease() == r {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		missing(t, "kernel headers below /lib/modules")
	}
	return out
}

// sample is a package of two modules, one of which exports a symbol that the
// other takes. The second has devices, firmware and an odd version.
const sample = `
-- dkms.conf --
PACKAGE_NAME="Sample"
PACKAGE_VERSION="1.0"
MAKE="make -C $kernel_source_dir M=$dkms_tree/$PACKAGE_NAME/$PACKAGE_VERSION/build"
BUILT_MODULE_NAME[0]="sample-core"
BUILT_MODULE_NAME[1]="sample_pci"
DEST_MODULE_LOCATION[0]="/extra"
DEST_MODULE_LOCATION[1]="/extra"
AUTOINSTALL="yes"
-- Makefile --
obj-m := sample-core.o sample_pci.o
-- COPYING --
Do what you like.
-- sample-core.c --
#include <linux/module.h>
int sample_answer(int x);
int sample_answer(int x) { WARN_ON(x > 100); return 42 + x; }
EXPORT_SYMBOL_GPL(sample_answer);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("sample core");
-- sample_pci.c --
#include <linux/module.h>
#include <linux/pci.h>
int sample_answer(int x);
static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(0x1234, 0x0001) }, { PCI_DEVICE(0x1234, 0x0002) }, { PCI_DEVICE(0x1234, 0x0013) }, { PCI_DEVICE(0x1235, 0x0013) }, {}
};
MODULE_DEVICE_TABLE(pci, ids);
static int probe(struct pci_dev *dev, const struct pci_device_id *id) { printk("sample\n"); return sample_answer(1); }
static struct pci_driver sample_driver = { .name = "sample", .probe = probe, .id_table = ids };
module_pci_driver(sample_driver);
MODULE_LICENSE("GPL");
MODULE_VERSION("1.0-rc1~x");
MODULE_ALIAS("sample:with space,and-comma");
MODULE_FIRMWARE("sample/one.bin");
MODULE_FIRMWARE("sample/two.bin");
`

// describe unpacks a txtar archive and describes it as a source would be.
func describe(t *testing.T, archive string) *source.Description {
	t.Helper()
	return describeIn(t, t.TempDir(), archive)
}

func describeIn(t *testing.T, dir, archive string) *source.Description {
	t.Helper()
	d := &source.Description{
		Dir: dir, DKMS: dkms.Package{Name: "Sample", Version: "1.0"}, Name: "Sample", UpstreamVersion: "1.0",
		Summary: "sample driver", Description: "Drives samples.", License: "GPL-2.0-only", Maintainer: "Ann <ann@example.org>", Section: "kernel",
		Time: time.Unix(1700000000, 0).UTC(),
	}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		path := filepath.Join(dir, f.Name)
		put(t, path, string(f.Data))
		d.Files = append(d.Files, pkgfmt.File{Path: f.Name, Mode: 0o644, Source: path, Size: int64(len(f.Data))})
		if f.Name == "COPYING" {
			d.Licences = append(d.Licences, f.Name)
		}
	}
	return d
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// build builds d, which must succeed.
func build(t *testing.T, d *source.Description, o Options) []Built {
	t.Helper()
	if o.Scratch == "" {
		o.Scratch = t.TempDir()
	}
	built, err := Build(t.Context(), d, o)
	if err != nil {
		_ = filepath.WalkDir(o.Scratch, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.Name() == "make.log" {
				t.Logf("%s:\n%s", path, read(t, path))
			}
			return err
		})
		t.Fatalf("Build: %v", err)
	}
	return built
}

// digest is one for everything below dir: names, modes, times, contents.
func digest(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(h, strings.TrimPrefix(path, dir), info.Mode(), info.ModTime().UnixNano())
		if info.Mode().IsRegular() {
			fmt.Fprint(h, read(t, path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}
