package source

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/conf"
)

// TestSame proves that neither the directory, nor the umask, nor the owner's
// way of checking out comes through.
func TestSame(t *testing.T) {
	t.Parallel()
	archive := plain + "-- tool.sh --\n-- sub/a.c --\n"
	a, b := plant(t, archive), filepath.Join(t.TempDir(), "another name")
	plantIn(t, b, archive)
	at := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, dir := range []string{a, b} {
		link(t, "foo.c", filepath.Join(dir, "link.c"))
		err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.Type()&os.ModeSymlink != 0 {
				return err
			}
			if dir == b {
				info, err := e.Info()
				if err != nil {
					return err
				}
				if err := os.Chmod(path, info.Mode().Perm()&0o700); err != nil {
					return err
				}
			}
			return os.Chtimes(path, at, at)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	da, db := read(t, a, Options{}), read(t, b, Options{})
	for _, d := range []*Description{da, db} {
		for i := range d.Files {
			d.Files[i].Source, _ = strings.CutPrefix(d.Files[i].Source, d.Dir)
		}
		d.Dir, d.Conf = "", nil
	}
	if diff := cmp.Diff(da, db); diff != "" {
		t.Errorf("-%s +%s\n%s", a, b, diff)
	}
	if !da.Time.Equal(at) {
		t.Errorf("Time = %s; want %s", da.Time, at)
	}
	if err := os.Chmod(filepath.Join(b, "foo.c"), 0o755); err != nil {
		t.Fatal(err)
	}
	if d := read(t, b, Options{}); d.Hash == da.Hash {
		t.Error("Hash is the same with another mode")
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for name, change := range map[string]func(dir string) error{
		"as it is":   func(string) error { return nil },
		"content":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "foo.c"), []byte("x"), 0o644) },
		"name":       func(dir string) error { return os.Rename(filepath.Join(dir, "foo.c"), filepath.Join(dir, "fop.c")) },
		"a new file": func(dir string) error { return os.WriteFile(filepath.Join(dir, "new"), nil, 0o644) },
		"a link":     func(dir string) error { return os.Symlink("foo.c", filepath.Join(dir, "new")) },
		"a target":   func(dir string) error { return os.Symlink("Makefile", filepath.Join(dir, "new")) },
		"directory":  func(dir string) error { return os.Mkdir(filepath.Join(dir, "new"), 0o755) },
	} {
		dir := plant(t, plain)
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		h := read(t, dir, Options{}).Hash
		if other, again := seen[h]; again || len(h) != 64 {
			t.Errorf("%s and %s both have the hash %q", name, other, h)
		}
		seen[h] = name
	}
	dir := plant(t, plain)
	before := read(t, dir, Options{Overrides: map[string]string{"version": "2"}}).Hash
	if again := read(t, dir, Options{Overrides: map[string]string{"version": "2"}}).Hash; again != before || seen[before] != "" {
		t.Errorf("Hash with another version is %s, then %s", before, again)
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	newest, extra := time.Unix(1000, 5e8), time.Unix(2000, 0)
	repo := &repository{time: time.Unix(500, 0)}
	dirty := &repository{Git: Git{Dirty: true}, time: time.Unix(500, 0)}
	for _, tt := range []struct {
		name, epoch string
		repo        *repository
		newest      time.Time
		want        int64 // -1: refused
		warned      bool
	}{
		{"files", "", nil, newest, 2000, false},
		{"newer files", "", nil, time.Unix(3000, 9e8), 3000, false},
		{"a commit", "", repo, newest, 500, false},
		{"a commit that was changed", "", dirty, newest, 2000, false},
		{"the environment", "1714521600", repo, newest, 1714521600, false},
		{"zero", "0", repo, newest, 0, false},
		{"before 1970", "-1", repo, newest, -1, false},
		{"no number", "now", repo, newest, -1, false},
		{"too late", "4294967296", repo, newest, -1, false},
		{"from the future", "", nil, time.Unix(9000, 0), 9000, true},
	} {
		r := reader{walk: &walk{newest: tt.newest}, repo: tt.repo, extras: &extras{newest: extra}}
		r.options.Now = func() time.Time { return time.Unix(5000, 0) }
		got, err := r.time(tt.epoch)
		if (err != nil) != (tt.want < 0) || err == nil && got.Unix() != tt.want || got.Nanosecond() != 0 || got.Location() != time.UTC {
			t.Errorf("%s: %v, %v; want %d", tt.name, got, err, tt.want)
		}
		if (len(r.warnings) > 0) != tt.warned {
			t.Errorf("%s: warnings %q", tt.name, r.warnings)
		}
	}
}

func TestSourceDateEpoch(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1000000000")
	if d := read(t, plant(t, plain), Options{}); d.Time.Unix() != 1000000000 {
		t.Errorf("Time = %s", d.Time)
	}
}

// TestChangesWhileRead proves that a file whose size is not what it was is told of.
func TestChangesWhileRead(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{0, 1, 100} {
		dir := plant(t, plain)
		w, err := openTree(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer w.close()
		if err := w.run(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.files[0].Size = size
		if _, _, err := digests(context.Background(), w.root, dir, w.files); err == nil || !strings.Contains(err.Error(), "changes while it is read") {
			t.Errorf("digests: %v", err)
		}
	}
}

// TestReadLeavesAlone proves that reading changes nothing, and leaves nothing behind.
func TestReadLeavesAlone(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	dir := t.TempDir()
	plantIn(t, dir, configTree+wholeConfig)
	list := func() string { return run(t, dir, "find", ".", "-printf", "%p %m %s %T@ %C@\n") }
	before := list()
	read(t, dir, Options{Overrides: map[string]string{"version": "5"}})
	if after := list(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	if left, err := os.ReadDir(temporary); err != nil || slices.ContainsFunc(left, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "dkms-mkpkg") }) {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestMemory proves that a tree is not held in memory.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 200 MiB")
	}
	dir := plant(t, plain)
	for i := range 20 {
		write(t, filepath.Join(dir, "blob"+string(rune('a'+i))), strings.Repeat("0123456789abcde\n", 10<<20/16), 0o644)
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d := read(t, dir, Options{})
	runtime.ReadMemStats(&after)
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 50 {
		t.Errorf("%d MiB were allocated for a tree of 200 MiB", used)
	}
	if len(d.Files) != 23 {
		t.Errorf("%d files", len(d.Files))
	}
}

// TestConfCannot proves that a stranger's dkms.conf starts no program that
// could do harm.
func TestConfCannot(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "mark")
	dir := plant(t, strings.Replace(plain, "AUTOINSTALL", "touch "+mark+"; find / -name x -exec touch "+mark+" ';'; git init "+mark+"; echo > "+mark+"\nAUTOINSTALL", 1))
	d := read(t, dir, Options{})
	if _, err := os.Lstat(mark); err == nil {
		t.Error("a dkms.conf wrote a file")
	}
	if warnings := strings.Join(d.Warnings, "\n"); !strings.Contains(warnings, "touch") || !strings.Contains(warnings, "git") {
		t.Errorf("no warning of programs: %s", warnings)
	}
}

// TestProblemsSayWhere proves that problems of a dkms.conf that was filled in
// are told with the source's path.
func TestProblemsSayWhere(t *testing.T) {
	t.Parallel()
	dir := plant(t, confOf("PACKAGE_NAME=foo\nPACKAGE_VERSION=@VERSION@\nCLEAN=x"))
	d := read(t, dir, Options{Overrides: map[string]string{"version": "1"}})
	if want := (conf.Problem{File: filepath.Join(dir, confName), Line: 3}); len(d.Conf.Warnings) != 1 || d.Conf.Warnings[0].File != want.File || d.Conf.Warnings[0].Line != want.Line {
		t.Errorf("Warnings = %+v; want one like %+v", d.Conf.Warnings, want)
	}
	if !slices.ContainsFunc(d.Warnings, func(w string) bool { return strings.HasPrefix(w, "dkms.conf:3: CLEAN is deprecated") }) {
		t.Errorf("Warnings = %q", d.Warnings)
	}
}
