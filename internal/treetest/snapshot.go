package treetest

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"testing"
)

// Write makes a file, with the directories that it is in.
func Write(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// WriteProgram makes an executable file, with the directories that it is in. No
// other test can fork meanwhile: the child would have the file open for writing
// until it executes its own program, and this one would be a "text file busy".
func WriteProgram(tb testing.TB, path, text string) {
	tb.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	Write(tb, path, text)
	if err := os.Chmod(path, 0o755); err != nil {
		tb.Fatal(err)
	}
}

// Snapshot returns, for everything in dirs, path -> what it is: type and
// permissions, and the target of a link, or the hash of a file's content. A
// directory that does not exist is left out. Times are not part of it.
func Snapshot(t testing.TB, dirs ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) && path == dir {
				return nil
			}
			if err != nil {
				return err
			}
			found[path], err = describe(path)
			return err
		})
		if err != nil {
			t.Fatalf("snapshot: %v", err)
		}
	}
	return found
}

func describe(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	switch {
	case info.Mode().Type() == fs.ModeSymlink:
		target, err := os.Readlink(path)
		return "-> " + target, err
	case info.Mode().IsRegular():
		data, err := os.ReadFile(path)
		return fmt.Sprintf("%s %x", info.Mode(), sha256.Sum256(data)), err
	}
	return info.Mode().String(), nil
}

// Diff returns one line per path that was added (+), removed (-) or changed
// (-, +), sorted by path; empty when both are equal.
func Diff(before, after map[string]string) string {
	var paths []string
	for p := range before {
		paths = append(paths, p)
	}
	for p := range after {
		if _, ok := before[p]; !ok {
			paths = append(paths, p)
		}
	}
	sort.Strings(paths)
	var b strings.Builder
	for _, p := range paths {
		was, had := before[p]
		is, has := after[p]
		if had && has && was == is {
			continue
		}
		if had {
			fmt.Fprintf(&b, "- %s %s\n", p, was)
		}
		if has {
			fmt.Fprintf(&b, "+ %s %s\n", p, is)
		}
	}
	return b.String()
}

// Without returns s without the paths that end in one of the suffixes or have
// one of them as an element; for what a program may leave, such as its lock.
func Without(s map[string]string, names ...string) map[string]string {
	kept := map[string]string{}
	for path, what := range s {
		drop := false
		for _, n := range names {
			drop = drop || strings.Contains(path+"/", "/"+n+"/")
		}
		if !drop {
			kept[path] = what
		}
	}
	return kept
}
