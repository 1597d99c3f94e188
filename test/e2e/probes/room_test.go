//go:build e2e

package probes

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

var full = flag.Bool("full", false, "with all packages, not two")

// packages are the file names of Debian's packages with sources.
var packages = []string{"acpi-call-dkms", "bbswitch-dkms", "dm-writeboost-dkms", "gost-crypto-dkms", "tp-smapi-dkms", "v4l2loopback-dkms"}

// kernel is the first one of this machine that has headers.
func kernel(tb testing.TB) kbuild.Kernel {
	tb.Helper()
	const installTree = "/lib/modules"
	releases, err := kbuild.Releases(installTree)
	if err != nil {
		box.Lacks(tb, err.Error())
	}
	for _, r := range releases {
		k, err := kbuild.OpenKernel(kbuild.KernelOptions{ID: dkms.KernelID{Release: r, Arch: "x86_64"}, InstallTree: installTree})
		if err == nil && k.Headers {
			return k
		}
	}
	box.Lacks(tb, "the headers of a kernel")
	return kbuild.Kernel{}
}

// bench is where one package is built again and again, at the same place.
type bench struct {
	kbuild.Job
}

// unpack puts what a .deb holds below dir.
func unpack(tb testing.TB, deb, dir string) {
	tb.Helper()
	path := filepath.Join(box.Project(), "build/e2e/debs", deb+".deb")
	if _, err := os.Stat(path); err != nil {
		box.Lacks(tb, path+": run tools/debs")
	}
	if out, err := exec.Command("dpkg-deb", "-x", path, dir).CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, out)
	}
}

func newBench(tb testing.TB, deb string) *bench {
	tb.Helper()
	dir := tb.TempDir()
	unpack(tb, deb, dir)
	sources, err := filepath.Glob(filepath.Join(dir, "usr/src/*/dkms.conf"))
	if err != nil || len(sources) != 1 {
		tb.Fatalf("%s has %v, %v", deb, sources, err)
	}
	source := filepath.Dir(sources[0])
	name, version, _ := strings.Cut(filepath.Base(source), "-")
	if at := strings.LastIndex(filepath.Base(source), "-"); at > 0 {
		name, version = filepath.Base(source)[:at], filepath.Base(source)[at+1:]
	}
	k := kernel(tb)
	trees := conf.Trees{DKMS: filepath.Join(dir, "tree"), Source: filepath.Dir(source), Install: "/lib/modules"}
	c, err := conf.Load(tb.Context(), conf.Request{Package: dkms.Package{Name: name, Version: version}, File: sources[0], Trees: trees, Jobs: 1}, k)
	if err != nil {
		tb.Fatal(err)
	}
	recipe, err := c.Resolve(k)
	if err != nil {
		tb.Fatal(err)
	}
	home := filepath.Join(trees.DKMS, name, version)
	return &bench{kbuild.Job{
		Recipe: recipe, Kernel: k, Source: source, SourceAliases: []string{source},
		Build: filepath.Join(home, "build"), Stage: filepath.Join(home, k.Release, k.Arch), Scratch: filepath.Join(home, ".scratch"),
		EtcDir: filepath.Join(dir, "etc"),
	}}
}

// make builds, and fails the test when that fails.
func (b *bench) make(tb testing.TB) {
	tb.Helper()
	if err := os.RemoveAll(b.Scratch); err != nil {
		tb.Fatal(err)
	}
	for _, dir := range []string{b.Build, b.Stage, b.Scratch} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	if _, err := kbuild.Build(tb.Context(), b.Job); err != nil {
		log, _ := os.ReadFile(filepath.Join(b.Scratch, "make.log"))
		tb.Fatalf("%v\n%s", err, log)
	}
}

// outcome is the digest of every file that a build has left, but for the log,
// which has times in it. modules is how many of them are modules.
func (b *bench) outcome(tb testing.TB) (files map[string]string, modules int) {
	tb.Helper()
	files = map[string]string{}
	for _, top := range []string{"build", "stage"} {
		dir := filepath.Join(b.Scratch, top)
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || d.Name() == "make.log" {
				return err
			}
			data, err := os.ReadFile(path)
			files[strings.TrimPrefix(path, b.Scratch+"/")] = fmt.Sprintf("%x", sha256.Sum256(data))
			if strings.HasSuffix(path, ".ko") {
				modules++
			}
			return err
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return files, modules
}
