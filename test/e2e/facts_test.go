//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An aspect is one thing that two programs have to agree about after a command.
type aspect string

const (
	exitStatus  aspect = "exit status"
	statusLines aspect = "status lines"
	modules     aspect = "/lib/modules"
	tree        aspect = "/var/lib/dkms"
	tarball     aspect = "tarball"
)

// facts are what is so after a command, each aspect as sorted lines.
type facts map[aspect][]string

// observe collects all facts about the machine. It runs the engine's status.
func (m machine) observe(tb testing.TB, exit int) facts {
	tb.Helper()
	return facts{
		exitStatus:  {fmt.Sprint(exit)},
		statusLines: lines(m.dkms("status").Stdout),
		modules:     m.installed(tb),
		tree:        m.treeShape(tb),
		tarball:     m.tarballs(tb),
	}
}

// installed describes every file under /lib/modules; modules by their content
// without compression and signature, which differs from key to key.
func (m machine) installed(tb testing.TB) []string {
	tb.Helper()
	var out []string
	err := m.walk("/lib/modules", func(path string, d fs.DirEntry) error {
		if d.IsDir() {
			out = append(out, path+"/")
			return nil
		}
		content, err := os.ReadFile(path)
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			out = append(out, path+" -> "+target)
			return err
		case err != nil:
			return err
		case strings.Contains(filepath.Base(path), ".ko"):
			if content, err = bare(path, content); err != nil {
				return err
			}
		}
		out = append(out, fmt.Sprintf("%s %x", path, sha256.Sum256(content)))
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// bare takes compression and signature off a module.
func bare(path string, content []byte) ([]byte, error) {
	for suffix, program := range map[string]string{".gz": "gzip", ".xz": "xz", ".zst": "zstd"} {
		if !strings.HasSuffix(path, suffix) {
			continue
		}
		cmd := exec.Command(program, "-dc")
		cmd.Stdin = bytes.NewReader(content)
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, program, err)
		}
		content = out
	}
	// The trailer is struct module_signature, whose last field is the length,
	// and a line (kernel, include/linux/module_signature.h).
	const line, fields = "~Module signature appended~\n", 12
	if body, signed := bytes.CutSuffix(content, []byte(line)); signed && len(body) > fields {
		size := int(binary.BigEndian.Uint32(body[len(body)-4:]))
		return body[:len(body)-fields-size], nil
	}
	return content, nil
}

// treeShape names what is in the tree, less what each program may have its own
// way with: dot-files, the scratch directory, key pairs, and tarballs, which
// are looked at by themselves.
func (m machine) treeShape(tb testing.TB) []string {
	tb.Helper()
	var out []string
	const top = "/var/lib/dkms"
	err := m.walk(top, func(path string, d fs.DirEntry) error {
		name := d.Name()
		if path == top || strings.HasPrefix(name, "mok.") || name == "dkms_dbversion" {
			return nil
		}
		if strings.HasPrefix(name, ".") || name == "build" || name == "tarball" {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			out = append(out, path+" -> "+target)
			return err
		case d.IsDir():
			path += "/"
		}
		out = append(out, path)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// tarballs lists each tarball in the tree with its members, less dot-files,
// which are each program's own.
func (m machine) tarballs(tb testing.TB) []string {
	tb.Helper()
	var out []string
	for _, path := range m.Glob("/var/lib/dkms/*/*/tarball/*") {
		members := lines(m.Must("tar", "-tf", path).Stdout)
		for i, member := range members {
			members[i] = filepath.Base(path) + ": " + strings.TrimSuffix(strings.TrimPrefix(member, "./"), "/")
		}
		slices.Sort(members)
		for _, member := range slices.Compact(members) {
			if !strings.HasSuffix(member, ": ") && !strings.Contains(member, "/.") {
				out = append(out, member)
			}
		}
	}
	return out
}

// walk calls fn, in the box, for all below dir; a missing dir is empty.
func (m machine) walk(dir string, fn func(string, fs.DirEntry) error) (err error) {
	m.Do(func() {
		if _, statErr := os.Lstat(dir); statErr != nil {
			return
		}
		err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return fn(path, d)
		})
	})
	return err
}

func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// differ returns, per aspect, what only a has ("-") and what only b has ("+").
func differ(a, b facts) map[aspect][]string {
	out := map[aspect][]string{}
	for _, key := range slices.Sorted(maps.Keys(a)) {
		var diff []string
		for _, line := range a[key] {
			if !slices.Contains(b[key], line) {
				diff = append(diff, "- "+line)
			}
		}
		for _, line := range b[key] {
			if !slices.Contains(a[key], line) {
				diff = append(diff, "+ "+line)
			}
		}
		if len(diff) > 0 {
			out[key] = diff
		}
	}
	return out
}
