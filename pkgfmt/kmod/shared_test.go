package kmod

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

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

// builtSample is the sample, built for a kernel with all there is to have.
func builtSample(t *testing.T, release string) (*source.Description, Built) {
	t.Helper()
	sharedMutex.Lock()
	s := sharedBuilds[release]
	if s == nil {
		s = &shared{}
		sharedBuilds[release] = s
	}
	sharedMutex.Unlock()
	s.once.Do(func() {
		dir := mkdir(t, filepath.Join(workshops, release))
		s.d = describeIn(t, mkdir(t, filepath.Join(dir, "source")), sample)
		before := digest(t, s.d.Dir)
		s.built = build(t, s.d, Options{Kernels: []string{release}, ABI: Ksym, Debug: true, Scratch: mkdir(t, filepath.Join(dir, "scratch"))})[0]
		if digest(t, s.d.Dir) != before {
			t.Error("the source has changed")
		}
	})
	if s.built.Recipe.Name == "" {
		t.Fatal("another test could not build it")
	}
	d := *s.d
	return &d, s.built
}
