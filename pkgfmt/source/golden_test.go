package source

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dkms-hook/dkms-hook/internal/golden"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// TestGoldenTrees reads sources as they are found in the world; what is said of
// each is in the file want. "link PATH TARGET" and "fifo PATH" in the comment
// make what an archive cannot hold.
func TestGoldenTrees(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/trees/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no trees", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			a.Files = slices.DeleteFunc(a.Files, func(f txtar.File) bool { return f.Name == "want" })
			dir := t.TempDir()
			plantIn(t, dir, string(txtar.Format(&txtar.Archive{Files: a.Files})))
			plantSpecial(t, dir, string(a.Comment))
			golden.Section(t, name, "want", said(dir))
		})
	}
}

func plantSpecial(t *testing.T, dir, comment string) {
	t.Helper()
	for line := range strings.Lines(comment) {
		words := strings.Fields(line)
		switch words[0] {
		case "link":
			link(t, words[2], filepath.Join(dir, words[1]))
		case "fifo":
			if err := syscall.Mkfifo(filepath.Join(dir, words[1]), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// said is what Read says of a tree, but for what differs from run to run.
func said(dir string) string {
	d, err := Read(context.Background(), dir, Options{})
	if err != nil {
		return strings.ReplaceAll(err.Error(), dir, "DIR") + "\n"
	}
	var b bytes.Buffer
	line := func(name string, v any) {
		if s := strings.TrimSpace(fmt.Sprint(v)); s != "" && s != "[]" && s != "{}" {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.ReplaceAll(s, "\n", `\n`))
		}
	}
	line("source", d.DKMS)
	line("package", fmt.Sprintf("%s %d:%s-%s", d.Name, d.Epoch, d.UpstreamVersion, d.Release))
	line("summary", d.Summary)
	line("description", d.Description)
	line("license", d.License)
	line("homepage", d.Homepage)
	line("maintainer", d.Maintainer)
	line("vendor", d.Vendor)
	line("section", d.Section)
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		line(string(f)+" depends", d.Relations[f].Depends)
		line(string(f)+" scripts", slices.Sorted(maps.Keys(d.Scripts[f])))
	}
	for _, m := range d.Conf.Modules {
		line("module", m.Built)
	}
	for _, f := range d.Files {
		line("file", fmt.Sprintf("%s %o %s", f.Path, f.Mode, f.Target))
	}
	for _, f := range d.Extra {
		line("extra", fmt.Sprintf("%s %o %s %s", f.Path, f.Mode, f.Target, d.ExtraFormats[f.Path]))
	}
	line("licences", d.Licences)
	for _, c := range d.Changes {
		line("change", fmt.Sprintf("%d:%s-%s %s %q", c.Version.Epoch, c.Version.Upstream, c.Version.Revision, c.Author, c.Lines))
	}
	for _, w := range d.Warnings {
		line("warning", w)
	}
	return strings.ReplaceAll(b.String(), dir, "DIR")
}
