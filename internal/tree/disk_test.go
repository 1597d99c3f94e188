package tree

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// diskCase is a change for which a disk is missing something.
type diskCase struct {
	name string
	// on are the disks whose trouble must make it fail: "dkms", "modules",
	// "src".
	on  []string
	act func(t *testing.T, tr Tree) error
	// frees tells that it gives space back and so must work on a full disk.
	frees bool
}

func diskCases(t *testing.T) []diskCase {
	archive := filepath.Join(t.TempDir(), "x.tar")
	write(t, archive, string(archiveOf(t)))
	one, two := ref("pa", "1.0"), ref("pa", "2.0")
	third := dkms.Package{Name: "pb", Version: "1.0"}
	return []diskCase{
		{"register", []string{"dkms"}, func(t *testing.T, tr Tree) error { return tr.Register(third, tr.Source(third)) }, true},
		{"unregister", []string{"dkms"}, func(t *testing.T, tr Tree) error { return tr.Unregister(two.Package) }, true},
		{"scratch", []string{"dkms"}, func(t *testing.T, tr Tree) error {
			s, err := tr.NewScratch(one)
			if err == nil {
				err = s.Close()
			}
			return err
		}, true},
		{"unbuild", []string{"dkms"}, func(t *testing.T, tr Tree) error { return tr.Unbuild(two) }, true},
		{"install", []string{"dkms", "modules"}, func(t *testing.T, tr Tree) error {
			return commit(tr.Install(two, places(tr, two, "alpha.ko"), InstallOptions{}))
		}, false},
		{"uninstall", []string{"dkms", "modules"}, func(t *testing.T, tr Tree) error { return commit(tr.Uninstall(one, nil)) }, false},
		{"pack", []string{"dkms"}, func(t *testing.T, tr Tree) error {
			_, err := tr.Pack(t.Context(), PackRequest{Package: two.Package, Kernels: []dkms.KernelID{kernel}})
			return err
		}, false},
		{"load", []string{"dkms", "src"}, func(t *testing.T, tr Tree) error {
			_, err := tr.Load(t.Context(), LoadRequest{Archive: archive, Identify: identify})
			return err
		}, false},
		{"record failure", []string{"dkms"}, func(_ *testing.T, tr Tree) error { return tr.RecordFailure(Failure{Ref: two}) }, false},
		{"adopt", []string{"dkms"}, func(_ *testing.T, tr Tree) error { return tr.Adopt(two, Built{Fingerprint: "a"}, nil) }, false},
		{"retire", []string{"dkms"}, func(_ *testing.T, tr Tree) error { return tr.Retire(two.Package, Retirement{Why: "test"}) }, false},
		{"keep failed", []string{"dkms"}, func(t *testing.T, tr Tree) error { return tr.KeepFailed(two, "/nowhere", archive) }, false},
	}
}

// archiveOf is an archive of a package that is in none of the trees.
func archiveOf(t *testing.T) []byte {
	return archive(t, entry{name: "dkms_source_tree/dkms.conf", text: "PACKAGE_NAME=pl\nPACKAGE_VERSION=1\n"},
		entry{name: "dkms_source_tree/big", text: string(make([]byte, 64<<10))},
		entry{name: "dkms_main_tree/k/x86_64/module/alpha.ko", text: string(make([]byte, 64<<10))})
}

// onDisks runs fn with a tree whose three directories are file systems of their
// own, with pa/1.0 installed and pa/2.0 built.
func onDisks(t *testing.T, fn func(tr Tree)) {
	t.Helper()
	base := t.TempDir()
	tr := diskTree(base)
	err := system.WithView(nil, func() error {
		for _, dir := range []string{tr.Dir, tr.SourceDir, tr.InstallDir} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m,mode=755"); err != nil {
				return err
			}
		}
		write(t, filepath.Join(tr.KernelDir(release), "kernel/drivers/misc/stock.ko"), "stock")
		install(t, tr, ref("pa", "1.0"), "alpha.ko")
		build(t, tr, ref("pa", "2.0"), "alpha.ko")
		// The new version is large.
		write(t, tr.ModuleDir(ref("pa", "2.0"))+"/alpha.ko", string(make([]byte, 64<<10)))
		fn(tr)
		return nil
	})
	if errors.Is(err, system.ErrNoView) {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("lacks a private mount namespace: %v", err)
	}
	must(t, err)
}

// installed is what stays installed on these disks. Its status is asked for alone, as
// they are there for one thread only.
var installed = ref("pa", "1.0").Package

func diskTree(base string) Tree {
	return Tree{Dir: filepath.Join(base, "dkms"), SourceDir: filepath.Join(base, "src"), InstallDir: filepath.Join(base, "modules")}
}

func disk(tr Tree, name string) string {
	return map[string]string{"dkms": tr.Dir, "modules": tr.InstallDir, "src": tr.SourceDir}[name]
}

func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	for _, c := range diskCases(t) {
		for _, name := range c.on {
			t.Run(c.name+" on "+name, func(t *testing.T) {
				t.Parallel()
				onDisks(t, func(tr Tree) {
					before := look(t, tr)
					if err := unix.Mount("", disk(tr, name), "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
						t.Error(err)
						return
					}
					err := c.act(t, tr)
					if !errors.Is(err, syscall.EROFS) || kindOf(err) != dkms.NotAllowed && kindOf(err) != dkms.DestNotWritable {
						t.Errorf("error %v, kind %d; want a read-only file system, NotAllowed", err, kindOf(err))
					}
					same(t, before, look(t, tr))
					if got := statuses(t, tr, CompareOptions{}, installed)[0]; got != "pa/1.0, "+release+", x86_64: installed" {
						t.Errorf("status = %q; want it still installed", got)
					}
				})
			})
		}
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, c := range diskCases(t) {
		for _, name := range c.on {
			t.Run(c.name+" on "+name, func(t *testing.T) {
				t.Parallel()
				onDisks(t, func(tr Tree) {
					fill(t, filepath.Join(disk(tr, name), ".filler"))
					before := look(t, tr)
					err := c.act(t, tr)
					if c.frees {
						if err != nil {
							t.Errorf("error %v; want it to work without space", err)
						}
						return
					}
					if err == nil && c.name == "uninstall" && name == "modules" {
						return // it only renames and removes there
					}
					if !errors.Is(err, syscall.ENOSPC) || kindOf(err) == -1 {
						t.Errorf("error %v; want no space left, as a dkms.Error", err)
					}
					if c.name != "keep failed" {
						same(t, before, look(t, tr))
					}
					if got := statuses(t, tr, CompareOptions{}, installed)[0]; got != "pa/1.0, "+release+", x86_64: installed" {
						t.Errorf("status = %q; want it still installed", got)
					}
				})
			})
		}
	}
}

// fill leaves no block free; names can still be made.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	for size := 64 << 10; size > 0; size /= 2 {
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				break
			}
		}
	}
}
