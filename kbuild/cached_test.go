package kbuild

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shelf is a Cache of one build, in memory.
type shelf struct {
	files map[string][]byte
	err   error
	puts  int
}

func (s *shelf) Get(dir string) (bool, error) {
	for name, text := range s.files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return false, err
		}
	}
	return len(s.files) > 0, s.err
}

func (s *shelf) Put(dir string, names []string) error {
	s.puts++
	s.files = map[string][]byte{}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		s.files[name] = text
	}
	return s.err
}

// staged returns the modules of a stage with their content.
func staged(t *testing.T, r Result) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range below(t, filepath.Join(r.Stage, "module")) {
		files[name] = read(t, filepath.Join(r.Stage, "module", name))
	}
	return files
}

// TestCached builds once, and takes the same from the cache, compressed as the
// kernel has it now; what does not fit is built.
func TestCached(t *testing.T) {
	t.Parallel()
	k, _ := twoKernels(t)
	k.Suffix = ".ko"
	b := quick(t, k, "", "printf '0x00000001\\thi\\thello\\tEXPORT_SYMBOL\\t\\n' >Module.symvers; "+copyHello, module("hello"))
	kept := &shelf{}
	b.Cache = kept
	first := b.good(t)
	if first.Cached || len(kept.files) != 2 || kept.files["hello.ko"] == nil || kept.files[symversName] == nil {
		t.Fatalf("the first build: cached %v, keeps %d files", first.Cached, len(kept.files))
	}
	want := staged(t, first)

	b.again(t)
	second := b.good(t)
	if !second.Cached || strings.Contains(b.logText(t), "# command:") || kept.puts != 1 {
		t.Errorf("the second build: cached %v, kept %d times\n%s", second.Cached, kept.puts, b.logText(t))
	}
	if diff := cmp.Diff(want, staged(t, second)); diff != "" {
		t.Error("the second build gives something else")
	}
	if diff := cmp.Diff(first.Modules, second.Modules); diff != "" {
		t.Errorf("modules (-built +cached):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(b.Scratch, "build")); err == nil {
		t.Error("the source was copied")
	}

	b.again(t)
	b.Kernel.Suffix = ".ko.xz"
	if r := b.good(t); !r.Cached || r.Modules[0].File != "hello.ko.xz" {
		t.Errorf("for a kernel that compresses: cached %v, %+v", r.Cached, r.Modules)
	}
	b.Kernel.Suffix = ".ko"

	good := maps.Clone(kept.files)
	for name, spoil := range map[string]func(){
		"an error":        func() { kept.err = errors.New("damaged") },
		"no module in it": func() { delete(kept.files, "hello.ko") },
		"not a module":    func() { kept.files["hello.ko"] = []byte("hello") },
		"another's module": func() {
			kept.files["hello.ko"] = []byte(strings.ReplaceAll(string(good["hello.ko"]), "vermagic=6.", "vermagic=5."))
		},
	} {
		kept.files, kept.err = maps.Clone(good), nil
		spoil()
		b.again(t)
		r := b.good(t)
		if r.Cached || len(r.Warnings) == 0 {
			t.Errorf("%s: cached %v, warnings %q", name, r.Cached, r.Warnings)
		}
		if diff := cmp.Diff(want, staged(t, r)); diff != "" {
			t.Errorf("%s: the build gives something else", name)
		}
	}

	kept.files, kept.err, kept.puts = maps.Clone(good), nil, 0
	b.again(t)
	b.Recipe.PostBuild = "true"
	if r := b.good(t); r.Cached || kept.puts > 0 {
		t.Errorf("with POST_BUILD: cached %v, kept %d times; want neither", r.Cached, kept.puts)
	}
}
