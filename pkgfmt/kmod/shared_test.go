package kmod

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// workshops is where what tests share is built.
var workshops string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "kmod-test-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		workshops = dir
		return m.Run()
	}())
}

// A shared build is there once for all tests of a run: compiling takes longer
// than all else that they do.
type shared struct {
	once  sync.Once
	d     *source.Description
	built Built
}

var (
	sharedMutex  sync.Mutex
	sharedBuilds = map[string]*shared{}
)

// share returns what one test has made in dir, below workshops, for all.
func share(t *testing.T, dir string, make func(dir string) (*source.Description, Built)) (*source.Description, Built) {
	t.Helper()
	sharedMutex.Lock()
	s := sharedBuilds[dir]
	if s == nil {
		s = &shared{}
		sharedBuilds[dir] = s
	}
	sharedMutex.Unlock()
	s.once.Do(func() { s.d, s.built = make(mkdir(t, filepath.Join(workshops, dir))) })
	if s.built.Recipe.Name == "" {
		t.Fatal("another test could not build it")
	}
	d := *s.d
	return &d, s.built
}

// builtSample is the sample, built for a kernel with all there is to have.
func builtSample(t *testing.T, release string) (*source.Description, Built) {
	t.Helper()
	return share(t, release, func(dir string) (*source.Description, Built) {
		d := describeIn(t, mkdir(t, filepath.Join(dir, "source")), sample)
		before := digest(t, d.Dir)
		b := build(t, d, Options{Kernels: []string{release}, ABI: Ksym, Debug: true, Scratch: mkdir(t, filepath.Join(dir, "scratch"))})[0]
		if digest(t, d.Dir) != before {
			t.Error("the source has changed")
		}
		return d, b
	})
}

// plain returns copies of b's modules, as make had left them but for what was
// stripped.
func plain(t *testing.T, b Built) []Module {
	t.Helper()
	dir := t.TempDir()
	modules := slices.Clone(b.Modules)
	for i := range modules {
		m := &modules[i]
		data, err := ko.Content(m.Path)
		if err != nil {
			t.Fatal(err)
		}
		m.File = strings.TrimSuffix(m.File, b.Kernel.Suffix) + ".ko"
		m.Path = filepath.Join(dir, m.File)
		put(t, m.Path, string(data))
	}
	return modules
}

// taker is a package that takes a symbol of the sample, and of two like it.
const taker = `
-- dkms.conf --
PACKAGE_NAME="Taker"
PACKAGE_VERSION="1.0"
BUILT_MODULE_NAME="taker"
DEST_MODULE_LOCATION="/extra"
BUILD_DEPENDS[0]="sample"
BUILD_DEPENDS[1]="file"
BUILD_DEPENDS[2]="tree"
-- Makefile --
obj-m := taker.o
-- taker.c --
#include <linux/module.h>
int sample_answer(int x);
int file_answer(int x);
int tree_answer(int x);
static int __init taker_init(void) { return sample_answer(1) == file_answer(1) + tree_answer(1); }
module_init(taker_init);
MODULE_LICENSE("GPL");
`

// builtTaker is the taker, built for a kernel. What it depends on lists its
// symbols in each of the places that one may name: a directory, a file, a tree
// of DKMS. lists has the lists by package.
func builtTaker(t *testing.T, release string) (b Built, lists map[string]string) {
	t.Helper()
	_, provider := builtSample(t, release)
	listed := read(t, filepath.Join(filepath.Dir(provider.Modules[0].Path), "Module.symvers"))
	top := filepath.Join(workshops, release+"-taker", "with space")
	lists = map[string]string{
		"sample": filepath.Join(top, "directory", "Module.symvers"),
		"file":   filepath.Join(top, "file", "Module.symvers"),
		"tree":   filepath.Join(top, "tree", release, provider.Kernel.Arch, "module", "Module.symvers"),
	}
	_, b = share(t, release+"-taker", func(dir string) (*source.Description, Built) {
		for name, path := range lists {
			put(t, path, strings.ReplaceAll(listed, "sample_answer", name+"_answer"))
		}
		d := describeIn(t, mkdir(t, filepath.Join(dir, "source")), taker)
		d.DKMS.Name, d.Name = "Taker", "Taker"
		return d, build(t, d, Options{Kernels: []string{release}, ABI: Ksym, Scratch: mkdir(t, filepath.Join(dir, "scratch")), Depends: []kbuild.Depend{
			{Name: "sample", Symvers: filepath.Dir(lists["sample"])}, {Name: "file", Symvers: lists["file"]}, {Name: "tree", Symvers: filepath.Join(top, "tree")},
		}})[0]
	})
	return b, lists
}
