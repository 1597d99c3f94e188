//go:build e2e

package recipe_test

import (
	"context"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/pkgfmt/recipe"
)

var full = flag.Bool("full", false, "build all sources, not three of them")

// realSources are Debian's own packages, and what Init's dkms.conf has other
// than theirs: modules that it does not promise (-NAME) or adds (+NAME).
var realSources = map[string][]string{
	"acpi-call-dkms":        nil,
	"bbswitch-dkms":         nil,
	"ddcci-dkms":            nil,
	"dm-writeboost-dkms":    nil,
	"evdi-dkms":             nil,
	"nat-rtsp-dkms":         nil,
	"openrazer-driver-dkms": nil,
	"rapiddisk-dkms":        nil,
	"tp-smapi-dkms":         {"-hdaps"}, // HDAPS=1 on make's command line
	"v4l2loopback-dkms":     nil,
}

// tooNew are those that do not compile for Debian 12's present kernel, whoever
// wrote their dkms.conf.
var tooNew = map[string]string{"openrazer-driver-dkms": "hid_report_raw_event has another argument by now"}

// built are those that the short run compiles: an own Makefile for several
// directories, several modules, one module.
var built = []string{"ddcci-dkms", "tp-smapi-dkms", "bbswitch-dkms"}

// TestInitReal takes the dkms.conf of real sources away and has Init write one:
// it must promise the same modules, and the build that dkms-hook does by it must
// make them.
func TestInitReal(t *testing.T) {
	kernel := newestKernel(t)
	for _, name := range slices.Sorted(maps.Keys(realSources)) {
		t.Run(name, func(t *testing.T) {
			dir := unpack(t, name)
			file := filepath.Join(dir, "dkms.conf")
			before := load(t, dir, kernel, t.TempDir())
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			draft, err := recipe.Init(context.Background(), dir, recipe.InitOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, draft.Text, 0o644); err != nil {
				t.Fatal(err)
			}
			tree := t.TempDir()
			after := load(t, dir, kernel, tree)
			if diff := cmp.Diff(realSources[name], differ(names(before), names(after))); diff != "" {
				t.Errorf("modules: -want +got\n%s\n%s", diff, draft.Text)
			}
			if *full && tooNew[name] == "" || slices.Contains(built, name) {
				compile(t, after, dir, tree, kernel)
			}
		})
	}
}

func newestKernel(t *testing.T) kbuild.Kernel {
	t.Helper()
	found, _ := filepath.Glob("/lib/modules/*/build/include")
	if len(found) == 0 {
		t.Fatal("no kernel headers on this machine")
	}
	release := strings.Split(found[0], "/")[3]
	k, err := kbuild.OpenKernel(kbuild.KernelOptions{ID: dkms.KernelID{Release: release, Arch: "x86_64"}, InstallTree: "/lib/modules"})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// unpack returns the source that one of Debian's packages brings, under its name.
func unpack(t *testing.T, name string) string {
	t.Helper()
	debs, _ := filepath.Glob("../../build/e2e/rootfs/root/var/cache/apt/archives/" + name + "_*.deb")
	if len(debs) != 1 {
		t.Fatalf("no package %s: tools/rootfs fetches it", name)
	}
	to := t.TempDir()
	if out, err := exec.Command("dpkg-deb", "-x", debs[0], to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	dirs, _ := filepath.Glob(filepath.Join(to, "usr/src/*"))
	if len(dirs) != 1 {
		t.Fatalf("%s brings %v; want one directory", name, dirs)
	}
	return dirs[0]
}

func load(t *testing.T, dir string, k kbuild.Kernel, tree string) *conf.Conf {
	t.Helper()
	c, err := conf.Load(context.Background(), conf.Request{File: filepath.Join(dir, "dkms.conf"), Jobs: 2,
		Trees: conf.Trees{DKMS: tree, Source: filepath.Dir(dir), Install: "/lib/modules"}}, k)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func names(c *conf.Conf) (all []string) {
	for _, m := range c.Modules {
		all = append(all, m.Built)
	}
	slices.Sort(all)
	return all
}

func differ(before, after []string) (all []string) {
	for _, n := range before {
		if !slices.Contains(after, n) {
			all = append(all, "-"+n)
		}
	}
	for _, n := range after {
		if !slices.Contains(before, n) {
			all = append(all, "+"+n)
		}
	}
	return all
}

// compile builds as dkms-hook does, in a tree of its own.
func compile(t *testing.T, c *conf.Conf, dir, tree string, k kbuild.Kernel) {
	t.Helper()
	r, err := c.Resolve(k)
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(tree, c.PackageName, c.PackageVersion)
	job := kbuild.Job{Recipe: r, Kernel: k, Source: dir, Build: filepath.Join(at, "build"), Stage: filepath.Join(at, k.Release, k.Arch),
		Scratch: filepath.Join(at, "scratch"), EtcDir: t.TempDir(), Timeout: 10 * time.Minute}
	for _, d := range []string{job.Build, job.Stage, job.Scratch} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	result, err := kbuild.Build(context.Background(), job)
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(job.Scratch, "make.log"))
		t.Fatalf("%v\n%s", err, log)
	}
	if len(result.Modules) != len(c.Modules) {
		t.Errorf("%d modules were made; want %d", len(result.Modules), len(c.Modules))
	}
}
