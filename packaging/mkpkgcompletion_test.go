package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mkpkgOptions are the options of each action, as --help tells of them; those of
// "" need none.
func mkpkgOptions(t *testing.T) map[string][]string {
	t.Helper()
	mkpkgOnce.Do(func() {
		program := built(t, "dkms-mkpkg")
		known := map[string][]string{"": options(t, program)}
		_, text, _ := strings.Cut(output(t, program, "--help"), "COMMANDS:\n")
		text, _, _ = strings.Cut(text, "\n\n")
		for line := range strings.Lines(text) {
			action := strings.Fields(line)[0]
			known[action] = options(t, program, action)
		}
		mkpkgKnown = known
	})
	if mkpkgKnown["source"] == nil {
		t.Fatalf("--help has the options %q: this test no longer reads it right", mkpkgKnown)
	}
	return mkpkgKnown
}

// One program is built and asked for all tests.
var (
	mkpkgOnce  sync.Once
	mkpkgKnown map[string][]string
)

// TestMkpkgManual: every action, and every option of each, has an entry.
func TestMkpkgManual(t *testing.T) {
	t.Parallel()
	page := manual(t, "dkms-mkpkg.1")
	for action, known := range mkpkgOptions(t) {
		if action == "" {
			continue
		}
		if !regexp.MustCompile(`(?m)^\.It Cm ` + action + `( |$)`).MatchString(page) {
			t.Errorf("dkms-mkpkg(1) has no entry for the action %s", action)
		}
		for _, o := range known {
			if !hasOption(page, o) && o != "-h" && o != "--help" {
				t.Errorf("dkms-mkpkg(1) has no entry for the option %s of %s", o, action)
			}
		}
	}
}

// TestMkpkgCompletionOptions: actions are completed, and for each its own
// options, and no other's.
func TestMkpkgCompletionOptions(t *testing.T) {
	t.Parallel()
	want := mkpkgOptions(t)
	actions := slices.DeleteFunc(slices.Sorted(maps.Keys(want)), func(action string) bool { return action == "" })
	for shell, complete := range completers {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			lacks(t, shell)
			got := complete(t, []string{"dkms-mkpkg", ""})
			slices.Sort(got)
			if diff := cmp.Diff(actions, slices.Compact(got)); diff != "" {
				t.Errorf("actions (-known +completed):\n%s", diff)
			}
			for action, known := range want {
				words := []string{"dkms-mkpkg", action, "-"}
				if action == "" {
					words = []string{"dkms-mkpkg", "-"}
				}
				got := complete(t, words)
				slices.Sort(got)
				if diff := cmp.Diff(known, slices.Compact(got)); diff != "" {
					t.Errorf("options of %q (-known +completed):\n%s", action, diff)
				}
			}
		})
	}
}

// workplace is a directory with what dkms-mkpkg is called on: two kernels,
// packages, and other files.
func workplace(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, path := range []string{"in/a.deb", "in/b.rpm", "in/c.txt", "in/d/dkms.conf", "modules/6.1.0-1-amd64/build", "modules/6.12.3-cloud/build"} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestMkpkgCompletion(t *testing.T) {
	t.Parallel()
	dir := workplace(t)
	for _, tt := range []struct{ name, words, want string }{
		{"formats", "source --format ", "deb deb,rpm rpm src.rpm"},
		{"formats of built modules", "kmod --format ", "deb deb,rpm rpm"},
		{"ABIs", "kmod --abi ", "exact ksym"},
		{"kinds", "spec --kind ", "dkms kmod"},
		{"compressions", "source --compress ", "gzip none xz zstd"},
		{"kernels", "kmod --installtree " + dir + "/modules -k ", "6.1.0-1-amd64 6.12.3-cloud"},
		{"kernels to evaluate for", "inspect --installtree " + dir + "/modules --kernel 6.12", "6.12.3-cloud"},
		{"directories", "source " + dir + "/in/", "d"},
		{"directories to write into", "source -o " + dir + "/in/", "d"},
		{"files to judge", "lint " + dir + "/in/", "a.deb b.rpm c.txt d"},
		{"packages", "inspect " + dir + "/in/", "a.deb b.rpm d"},
		{"a key", "kmod --key " + dir + "/in/c", "c.txt"},
	} {
		for shell, complete := range completers {
			t.Run(shell+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				lacks(t, shell)
				var got []string
				for _, word := range complete(t, strings.Split("dkms-mkpkg "+tt.words, " ")) {
					got = append(got, filepath.Base(word))
				}
				slices.Sort(got)
				if s := strings.Join(slices.Compact(got), " "); s != tt.want {
					t.Errorf("completion of %q = %s; want %s", tt.words, s, tt.want)
				}
			})
		}
	}
}
