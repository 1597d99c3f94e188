package tree

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

func TestForgetKernel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		setUp func(t *testing.T, dir string)
		gone  bool // the kernel's directory goes; else nothing in it changes
	}{
		{"only depmod's files", func(t *testing.T, dir string) {
			for _, file := range depmodFiles {
				write(t, filepath.Join(dir, file), "x")
			}
		}, true},
		{"empty directories", func(t *testing.T, dir string) {
			must(t, os.MkdirAll(filepath.Join(dir, "kernel/drivers/hwmon"), 0o755))
			must(t, os.MkdirAll(filepath.Join(dir, "updates/dkms"), 0o755))
			must(t, os.MkdirAll(filepath.Join(dir, "extra"), 0o755))
		}, true},
		{"nothing", func(t *testing.T, dir string) { must(t, os.Mkdir(dir, 0o755)) }, true},
		{"no directory", func(*testing.T, string) {}, true},
		{"the kernel", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "kernel/a.ko"), "x")
			write(t, filepath.Join(dir, "modules.dep"), "x")
			must(t, os.MkdirAll(filepath.Join(dir, "kernel/empty"), 0o755))
		}, false},
		{"the kernel's lists", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "modules.order"), "")
			write(t, filepath.Join(dir, "modules.dep"), "x")
		}, false},
		{"headers", func(t *testing.T, dir string) {
			symlink(t, "/usr/src/linux-headers", filepath.Join(dir, "build"))
			write(t, filepath.Join(dir, "modules.dep"), "x")
		}, false},
		{"somebody's module", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "updates/other.ko"), "x")
			write(t, filepath.Join(dir, "modules.dep"), "x")
		}, false},
		{"a directory by the name of depmod's file", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "modules.dep/x"), "") }, false},
		{"depmod's file at another place", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "extra/modules.dep"), "") }, false},
		{"a link", func(t *testing.T, dir string) {
			away := t.TempDir()
			write(t, filepath.Join(away, "modules.dep"), "x")
			symlink(t, away, dir)
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTree(t)
			dir := tr.KernelDir("6.12")
			tt.setUp(t, dir)
			must(t, tr.needDepmod("6.12"))
			before := look(t, tr)
			must(t, tr.ForgetKernel("6.12"))
			if !tt.gone {
				same(t, before, look(t, tr))
				return
			}
			if system.Exists(dir) {
				t.Errorf("%s is still there", dir)
			}
			if s, err := tr.Sweep(t.Context()); err != nil || len(s.Depmod) != 0 {
				t.Errorf("Sweep() = %+v, %v; want no depmod for a kernel that is gone", s, err)
			}
			if !system.IsDir(tr.KernelDir(release)) {
				t.Error("another kernel went, too")
			}
		})
	}
}

// TestForgetKernelWhileThere: in a prerm script of the kernel our directories
// go and its own stay.
func TestForgetKernelWhileThere(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	before := look(t, tr)
	must(t, os.MkdirAll(filepath.Join(tr.KernelDir(release), "updates/dkms"), 0o755))
	must(t, tr.ForgetKernel(release))
	same(t, before, look(t, tr))
}

// TestForgetKernelAgain: it clears what is worth nothing, so that after a crash
// it is enough to do it again.
func TestForgetKernelAgain(t *testing.T) {
	t.Parallel()
	sc := scenario{"forget a kernel", func(t *testing.T, tr Tree) {
		add(t, tr, ref("pa", "1.0").Package)
		failed(t, tr, ref("pa", "1.0"))
		remove(t, filepath.Join(tr.KernelDir(release), "kernel"))
		write(t, filepath.Join(tr.KernelDir(release), "modules.dep"), "")
		must(t, os.MkdirAll(filepath.Join(tr.KernelDir(release), "updates/dkms"), 0o755))
	}, func(tr Tree) error { return tr.ForgetKernel(release) }}
	for i := range sc.steps(t) {
		tr := newTree(t)
		sc.setUp(t, tr)
		must(t, sc.stopAt(tr, i+1, nil))
		_, err := tr.Sweep(t.Context())
		must(t, err)
		must(t, sc.act(tr))
		if d := treetest.Diff(sc.finished(t), rebase(look(t, tr), tr)); d != "" {
			t.Errorf("stopped at step %d and done again:\n%s", i+1, d)
		}
		noRemnants(t, tr)
	}
}

// TestForgetKernelLogs: logs and failures go, of all packages, and no others.
func TestForgetKernelLogs(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	gone, stays := ref("pa", "1.0"), ref("pa", "1.0")
	gone.Release = "6.12"
	add(t, tr, gone.Package)
	failed(t, tr, stays)
	pb, pc := dkms.Package{Name: "pb", Version: "1.0"}, dkms.Package{Name: "kernel-pc", Version: "kernel-1.0"}
	add(t, tr, pb)
	add(t, tr, pc)
	before := look(t, tr)
	failed(t, tr, gone)
	for _, p := range []dkms.Package{pb, pc} {
		for _, arch := range []string{"i686", "x86_64"} {
			failed(t, tr, dkms.Ref{Package: p, KernelID: dkms.KernelID{Release: "6.12", Arch: arch}})
		}
	}
	must(t, tr.ForgetKernel("6.12"))
	// A failed build itself is kept until the next one of its package.
	for _, p := range []dkms.Package{gone.Package, pb, pc} {
		for path := range before {
			if filepath.Dir(path) == tr.BuildDir(p) {
				delete(before, path)
			}
		}
		tr.empty(tr.BuildDir(p))
	}
	same(t, before, look(t, tr))
	wantError(t, tr.ForgetKernel("../x"), dkms.Incomplete, "kernel release")
}

// TestForgetKernelDepmod has the real depmod index a kernel that has only a
// module of ours; when that is gone, nothing must be left.
func TestForgetKernelDepmod(t *testing.T) {
	t.Parallel()
	depmod, err := exec.LookPath("depmod")
	if err != nil {
		depmod = "/sbin/depmod"
	}
	if _, err := os.Stat(depmod); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("lacks depmod: %v", err)
	}
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "usr/lib"), 0o755))
	symlink(t, "usr/lib", filepath.Join(root, "lib"))
	tr := Tree{Dir: filepath.Join(root, "dkms"), SourceDir: filepath.Join(root, "src"), InstallDir: filepath.Join(root, "lib/modules")}
	r := ref("pa", "1.0")
	must(t, os.MkdirAll(tr.KernelDir(release), 0o755))
	index := func() {
		if out, err := exec.Command(depmod, "-b", root, release).CombinedOutput(); err != nil {
			t.Fatalf("depmod: %v\n%s", err, out)
		}
	}
	install(t, tr, r, "alpha.ko")
	index()
	must(t, tr.ForgetKernel(release))
	if !system.Exists(inUpdates(tr, "alpha.ko")) {
		t.Fatal("an installed module went")
	}
	must(t, commit(tr.Uninstall(r, nil)))
	index()
	if files, _ := filepath.Glob(filepath.Join(tr.KernelDir(release), "modules.*")); len(files) < 5 {
		t.Fatalf("depmod wrote only %q", files)
	}
	must(t, tr.ForgetKernel(release))
	if left, _ := os.ReadDir(tr.InstallDir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
