package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const plenty = 1 << 20

func key(what string) string {
	sum := sha256.Sum256([]byte(what))
	return hex.EncodeToString(sum[:])
}

// folder makes a directory with files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// holds returns the files below dir with their content.
func holds(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func put(t *testing.T, s *Store, what string, files map[string]string) {
	t.Helper()
	var names []string
	for name := range files {
		names = append(names, name)
	}
	if err := s.Put(key(what), what, folder(t, files), names); err != nil {
		t.Fatal(err)
	}
}

func keys(t *testing.T, s *Store) (all []string) {
	t.Helper()
	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		all = append(all, e.About)
	}
	return all
}

func TestStore(t *testing.T) {
	t.Parallel()
	s := New(filepath.Join(t.TempDir(), "var/cache"), plenty)
	if got := keys(t, s); len(got) > 0 {
		t.Errorf("a store that is not there holds %q", got)
	}
	files := map[string]string{"module/a.ko": "a", "module/b.ko": strings.Repeat("b", 1<<16), "log": ""}
	put(t, s, "one", files)
	put(t, s, "one", files) // once more
	to := t.TempDir()
	found, err := s.Get(key("one"), to)
	if diff := cmp.Diff(files, holds(t, to)); !found || err != nil || diff != "" {
		t.Errorf("Get = %v, %v\n%s", found, err, diff)
	}
	empty := t.TempDir()
	for _, k := range []string{key("two"), "", "..", "../" + key("one"), strings.ToUpper(key("one"))} {
		if found, err := s.Get(k, empty); found || err != nil || len(holds(t, empty)) > 0 {
			t.Errorf("Get(%q) = %v, %v; want nothing", k, found, err)
		}
	}
	if err := s.Put("../x", "", to, nil); err == nil {
		t.Error("Put takes a path for a key")
	}
	if got := keys(t, s); !slices.Equal(got, []string{"one"}) {
		t.Errorf("List = %q", got)
	}
}

// TestDamaged: what was changed in the store is not there any more; it can be put
// in again.
func TestDamaged(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(entry string) error{
		"other content": func(e string) error { return os.WriteFile(filepath.Join(e, "files/a.ko"), []byte("x"), 0o600) },
		"cut":           func(e string) error { return os.Truncate(filepath.Join(e, "files/b.ko"), 1) },
		"gone":          func(e string) error { return os.Remove(filepath.Join(e, "files/b.ko")) },
		"a directory": func(e string) error {
			return os.Rename(filepath.Join(e, "files"), filepath.Join(e, "files2"))
		},
		"no index":    func(e string) error { return os.Remove(filepath.Join(e, indexName)) },
		"empty index": func(e string) error { return os.Truncate(filepath.Join(e, indexName), 0) },
		"other key": func(e string) error {
			return os.WriteFile(filepath.Join(e, indexName), []byte(`{"key":"`+key("two")+`"}`), 0o600)
		},
		"path": func(e string) error {
			return os.WriteFile(filepath.Join(e, indexName), []byte(`{"key":"`+key("one")+`","files":[{"name":"../../../x"}]}`), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := New(filepath.Join(t.TempDir(), "cache"), plenty)
			files := map[string]string{"a.ko": "a", "b.ko": "bb"}
			put(t, s, "one", files)
			if err := damage(s.path(key("one"))); err != nil {
				t.Fatal(err)
			}
			to := t.TempDir()
			if found, err := s.Get(key("one"), to); found || err == nil || len(holds(t, to)) > 0 {
				t.Errorf("Get = %v, %v, and leaves %v; want an error, and nothing", found, err, holds(t, to))
			}
			if found, err := s.Get(key("one"), to); found || err != nil {
				t.Errorf("once more: Get = %v, %v; want that it is gone", found, err)
			}
			put(t, s, "one", files)
			if found, err := s.Get(key("one"), to); !found || err != nil {
				t.Errorf("put in again: Get = %v, %v", found, err)
			}
		})
	}
}

// TestLimit: what was used longest ago goes.
func TestLimit(t *testing.T) {
	t.Parallel()
	s := New(filepath.Join(t.TempDir(), "cache"), 30)
	ten := map[string]string{"a": "0123456789"}
	for i, what := range []string{"one", "two", "three"} {
		put(t, s, what, ten)
		at := time.Now().Add(time.Duration(i-10) * time.Minute)
		if err := os.Chtimes(filepath.Join(s.path(key(what)), indexName), at, at); err != nil {
			t.Fatal(err)
		}
	}
	if found, err := s.Get(key("one"), t.TempDir()); !found || err != nil {
		t.Fatalf("Get = %v, %v", found, err)
	}
	put(t, s, "four", ten)
	got := keys(t, s)
	slices.Sort(got)
	if want := []string{"four", "one", "three"}; !slices.Equal(got, want) {
		t.Errorf("the store holds %q; want %q", got, want)
	}
	put(t, s, "four", ten)
	if again := keys(t, s); len(again) != 3 {
		t.Errorf("what is there already has thrown out others: %q", again)
	}
	put(t, s, "large", map[string]string{"a": strings.Repeat("x", 31)})
	if len(keys(t, s)) != 3 {
		t.Errorf("what is larger than the limit is kept, or has thrown others out: %q", keys(t, s))
	}
	gone, err := s.Prune(0)
	if err != nil || len(gone) != 3 || len(keys(t, s)) > 0 {
		t.Errorf("Prune(0) = %d entries, %v; left %q", len(gone), err, keys(t, s))
	}
	if left, _ := os.ReadDir(s.dir); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// TestSweep: what a killed Put has left goes, and what another writes stays.
func TestSweep(t *testing.T) {
	t.Parallel()
	for name, sweep := range map[string]func(s *Store) error{
		"Put": func(s *Store) error {
			return s.Put(key("two"), "", folder(t, map[string]string{"a": "a"}), []string{"a"})
		},
		"Prune": func(s *Store) error { _, err := s.Prune(0); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := New(filepath.Join(t.TempDir(), "cache"), plenty)
			put(t, s, "one", map[string]string{"a": "a"})
			left := filepath.Join(s.dir, unfinished+"1", filesName)
			if err := os.MkdirAll(left, 0o700); err != nil {
				t.Fatal(err)
			}
			written, end, err := s.fresh()
			if err != nil {
				t.Fatal(err)
			}
			if err := sweep(New(s.dir, plenty)); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Dir(left)); err == nil {
				t.Error("what nobody writes any more is still there")
			}
			if _, err := os.Stat(written); err != nil {
				t.Errorf("what is being written is gone: %v", err)
			}
			end()
			if _, err := os.Stat(written); err == nil {
				t.Error("who has finished leaves its directory")
			}
		})
	}
}

// TestPruneDamaged: what is damaged is listed with its size, and goes first, also
// by itself.
func TestPruneDamaged(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(entry string) error{
		"no index":    func(e string) error { return os.Remove(filepath.Join(e, indexName)) },
		"empty index": func(e string) error { return os.Truncate(filepath.Join(e, indexName), 0) },
		"a file": func(e string) error {
			if err := os.RemoveAll(e); err != nil {
				return err
			}
			return os.WriteFile(e, []byte("0123456789"), 0o600)
		},
	} {
		for how, prune := range map[string]func(s *Store) error{
			"Prune": func(s *Store) error {
				gone, err := s.Prune(plenty)
				if len(gone) != 1 || gone[0].Key != key("bad") || gone[0].Damaged == "" {
					t.Errorf("%s: Prune = %+v; want what is damaged", name, gone)
				}
				return err
			},
			"Put": func(s *Store) error {
				return s.Put(key("good"), "good", folder(t, map[string]string{"a": "a"}), []string{"a"})
			},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				s := New(filepath.Join(t.TempDir(), "cache"), plenty)
				put(t, s, "bad", map[string]string{"a": "0123456789"})
				put(t, s, "new", map[string]string{"a": "a"})
				if err := damage(s.path(key("bad"))); err != nil {
					t.Fatal(err)
				}
				all, err := s.List()
				i := slices.IndexFunc(all, func(e Entry) bool { return e.Damaged != "" })
				if err != nil || len(all) != 2 || i < 0 || all[i].Key != key("bad") || all[i].Size() != 10 {
					t.Errorf("List = %+v, %v; want one that is damaged, with 10 bytes", all, err)
				}
				if err := prune(New(s.dir, plenty)); err != nil {
					t.Error(err)
				}
				if _, err := os.Lstat(s.path(key("bad"))); err == nil {
					t.Error("what is damaged is still there")
				}
				if !slices.Contains(keys(t, s), "new") {
					t.Error("what is not damaged is gone")
				}
			})
		}
	}
}

// TestFailedPut leaves nothing.
func TestFailedPut(t *testing.T) {
	t.Parallel()
	s := New(filepath.Join(t.TempDir(), "cache"), plenty)
	if err := s.Put(key("one"), "", folder(t, map[string]string{"a": "a"}), []string{"a", "missing"}); err == nil {
		t.Error("a file that is not there is no error")
	}
	if left, _ := os.ReadDir(s.dir); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// TestTogether has many put and take the same entries.
func TestTogether(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cache")
	files := map[string]string{"a": strings.Repeat("a", 1000), "b/c": strings.Repeat("c", 1000)}
	from := folder(t, files)
	var all sync.WaitGroup
	for i := range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			s := New(dir, 5000) // two entries
			for j := range 30 {
				k := key([]string{"one", "two", "three"}[(i+j)%3])
				if err := s.Put(k, "", from, []string{"a", "b/c"}); err != nil {
					t.Errorf("Put: %v", err)
				}
				to, err := os.MkdirTemp(dir+"/..", "to")
				if err != nil {
					t.Error(err)
					return
				}
				if found, _ := s.Get(k, to); found {
					if got := holds(t, to); cmp.Diff(files, got) != "" {
						t.Errorf("Get: %v", got)
					}
				}
			}
		}()
	}
	all.Wait()
}

// BenchmarkPut puts an entry into a store that holds many.
func BenchmarkPut(b *testing.B) {
	s := New(filepath.Join(b.TempDir(), "cache"), plenty)
	from := b.TempDir()
	if err := os.WriteFile(filepath.Join(from, "a"), []byte("a"), 0o644); err != nil {
		b.Fatal(err)
	}
	n := 0
	more := func() {
		if n++; s.Put(key(strconv.Itoa(n)), "", from, []string{"a"}) != nil {
			b.Fatal("Put failed")
		}
	}
	for range 1000 {
		more()
	}
	for b.Loop() {
		more()
	}
}
