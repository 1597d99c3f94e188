package read_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/read"
	"github.com/dkms-hook/dkms-hook/pkgfmt/readtest"
	"github.com/dkms-hook/dkms-hook/pkgfmt/write"
)

// ours is a package as this program makes them.
func ours(f pkgfmt.Format) pkgfmt.Package {
	p := pkgfmt.Package{
		Format: f, Name: "sample-dkms", Version: pkgfmt.Version{Epoch: 1, Upstream: "2.0~rc1", Revision: "1"}, Arch: "all",
		Summary: "a sample", Description: "It says\nnothing.\n\nAnd that twice.", License: "GPL-2.0-only", Homepage: "https://example.org",
		Maintainer: "A. Tester <a@example.org>", Section: "kernel", Time: time.Unix(1_700_000_000, 0).UTC(),
		Relations: pkgfmt.Relations{Depends: []string{"kmod (>= 30)", "make"}, Provides: []string{"sample-modules"}},
		Scripts:   map[string]string{"postinst": "#!/bin/sh\nset -e\n", "prerm": "#!/bin/sh\nexit 0\n"},
		Triggers:  []string{"activate-await update-initramfs"},
		Files: []pkgfmt.File{
			{Path: "/etc/modprobe.d/sample.conf", Kind: pkgfmt.Config, Mode: 0o644, Data: []byte("options sample x=1\n")},
			{Path: "/usr/src/sample-2.0/Makefile", Mode: 0o644, Data: []byte("obj-m := sample.o\n")},
			{Path: "/usr/src/sample-2.0/empty", Kind: pkgfmt.Directory, Mode: 0o755},
			{Path: "/usr/src/sample-2.0/link", Kind: pkgfmt.Link, Target: "Makefile"},
			{Path: "/usr/src/sample-2.0/run me.sh", Mode: 0o755, Data: []byte("#!/bin/sh\n")},
		},
		Changes: []pkgfmt.Change{{Version: pkgfmt.Version{Epoch: 1, Upstream: "2.0~rc1", Revision: "1"}, Time: time.Unix(1_700_000_000, 0).UTC(),
			Author: "A. Tester <a@example.org>", Lines: []string{"One.", "Two."}}},
	}
	if f == pkgfmt.RPM {
		p.Arch, p.Relations.Depends, p.Triggers = "noarch", []string{"kmod >= 30", "(dkms-hook or dkms >= 3.0)"}, nil
		p.Relations.Supplements, p.Relations.ForScripts = []string{"(sample-ui and kernel)"}, []string{"coreutils"}
		p.Scripts = map[string]string{"post": "exit 0\n", "posttrans": ": later\n"}
		p.FileTriggers = []pkgfmt.FileTrigger{{On: pkgfmt.OnInstall, Prefixes: []string{"/usr/src", "/lib/modules"}, Script: "cat\n"}}
		p.Files = append(p.Files, pkgfmt.File{Path: "/var/lib/sample", Kind: pkgfmt.Ghost, Mode: 0o644})
	}
	return p
}

// TestWritten: what was written is read, in both formats and all compressions,
// and the formats' tools agree.
func TestWritten(t *testing.T) {
	t.Parallel()
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		for _, algorithm := range []string{"gzip", "xz", "zstd", "none"} {
			p := ours(f)
			p.Compression.Algorithm = algorithm
			var out bytes.Buffer
			if err := write.To(p, &out); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "package")
			if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := read.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if got.Name != p.Name || got.Version != p.Version || got.Arch != p.Arch || got.Summary != p.Summary || got.Compression != algorithm || !got.Time.Equal(p.Time) {
				t.Errorf("%s, %s: %+v", f, algorithm, got)
			}
			contents := map[string]string{}
			if err := got.Walk(func(f read.File, body io.Reader) error {
				text, err := io.ReadAll(body)
				contents[fmt.Sprint(f.Path, " ", f.Mode, " ", f.Target)] = string(text)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			for _, f := range p.Files {
				mode := map[pkgfmt.FileKind]fs.FileMode{pkgfmt.Directory: fs.ModeDir | f.Mode, pkgfmt.Link: fs.ModeSymlink | 0o777}[f.Kind]
				if mode == 0 {
					mode = f.Mode
				}
				key := fmt.Sprint(f.Path, " ", mode, " ", f.Target)
				text, ok := contents[key]
				if ok == (f.Kind == pkgfmt.Ghost) || text != string(f.Data) {
					t.Errorf("%s: %q is %q (%v); want %q", p.Format, key, text, ok, f.Data)
				}
			}
			readtest.Agree(t, path)
		}
	}
}

// TestReportIsStable: the same file gives the same report, byte for byte.
func TestReportIsStable(t *testing.T) {
	t.Parallel()
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		var out bytes.Buffer
		if err := write.To(ours(f), &out); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "package")
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		var texts, objects [2]bytes.Buffer
		for i := range 2 {
			r, err := read.Inspect(path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.WriteText(&texts[i]); err != nil {
				t.Fatal(err)
			}
			if err := r.WriteJSON(&objects[i]); err != nil {
				t.Fatal(err)
			}
			var back read.Report
			if err := json.Unmarshal(objects[i].Bytes(), &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r, &back); diff != "" {
				t.Errorf("%s: what JSON loses (-report +read again):\n%s", f, diff)
			}
		}
		if texts[0].String() != texts[1].String() || objects[0].String() != objects[1].String() {
			t.Errorf("%s: two reports differ", f)
		}
	}
}
