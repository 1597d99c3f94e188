package read_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/read"
	"github.com/dkms-hook/dkms-hook/pkgfmt/readtest"
	"github.com/dkms-hook/dkms-hook/pkgfmt/write"
)

var algorithms = []string{"gzip", "xz", "zstd", "none"}

// TestAnyPackage: whatever is written is read as it was.
func TestAnyPackage(t *testing.T) {
	t.Parallel()
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "package")
			n := 0
			rapid.Check(t, func(r *rapid.T) {
				p := anyPackage(r, f)
				var out bytes.Buffer
				if err := write.To(p, &out); err != nil {
					r.Fatal(err)
				}
				if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
					r.Fatal(err)
				}
				if diff := cmp.Diff(wanted(p), found(r, path)); diff != "" {
					r.Errorf("-written +read\n%s", diff)
				}
				if n++; n <= 5 { // which takes longer than all else
					readtest.Agree(t, path)
				}
			})
		})
	}
}

// anyPackage draws whatever a package of the format may be.
func anyPackage(t *rapid.T, f pkgfmt.Format) pkgfmt.Package {
	text := rapid.StringMatching(`[A-Za-z#%<({"'\\äß“][ -~äß“ñ]{0,200}[a-zß.]`)
	when := rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(1, 1<<31-1).Draw(t, "time"), 0).UTC()
	})
	word := map[pkgfmt.Format]string{pkgfmt.Deb: `[a-z0-9][a-z0-9+.-]{1,20}`, pkgfmt.RPM: `[A-Za-z0-9_][A-Za-z0-9._+-]{1,20}`}[f]
	version := rapid.Custom(func(t *rapid.T) pkgfmt.Version {
		return pkgfmt.Version{Epoch: rapid.SampledFrom([]int{0, 1, 1<<31 - 1}).Draw(t, "epoch"),
			Upstream: rapid.StringMatching(`[0-9][A-Za-z0-9.+~]{0,20}`).Draw(t, "upstream"), Revision: rapid.StringMatching(`[1-9][A-Za-z0-9.+~]{0,5}`).Draw(t, "revision")}
	})
	list := func(name string) []string {
		operator := map[pkgfmt.Format]string{pkgfmt.Deb: `( \((<<|<=|=|>=|>>) [0-9][0-9a-z.+~]{0,8}\))?`, pkgfmt.RPM: `( (<|<=|=|>=|>) ([0-9]:)?[0-9][0-9a-z.+~]{0,8}(-[0-9])?)?`}[f]
		return rapid.SliceOfNDistinct(rapid.StringMatching(`x[a-z0-9]{1,12}`+operator), 0, 3, rapid.ID).Draw(t, name)
	}
	p := pkgfmt.Package{
		Format: f, Name: rapid.StringMatching(word).Draw(t, "name"), Version: version.Draw(t, "version"),
		Summary: text.Draw(t, "summary"), Description: strings.Join(rapid.SliceOfN(text, 1, 3).Draw(t, "description"), "\n\n"),
		License: "GPL-2.0-only", Homepage: "https://example.org/ä", Maintainer: "Ä. <a@example.org>", Section: "kernel", Time: when.Draw(t, "time"),
		Relations: pkgfmt.Relations{Depends: list("depends"), Recommends: list("recommends"), Suggests: list("suggests"),
			Conflicts: list("conflicts"), Replaces: list("replaces"), Enhances: list("enhances")},
		Scripts: map[string]string{}, Files: anyFiles(t, f),
		Changes:     []pkgfmt.Change{{Version: version.Draw(t, "change"), Time: when.Draw(t, "changed"), Author: "Ö <o@example.org>", Lines: rapid.SliceOfN(text, 1, 3).Draw(t, "lines")}},
		Compression: pkgfmt.Compression{Algorithm: rapid.SampledFrom(algorithms).Draw(t, "compression")},
	}
	names, prefix := []string{"pre", "post", "preun", "postun", "pretrans", "posttrans"}, ""
	if p.Arch = "noarch"; f == pkgfmt.Deb {
		p.Arch, names, prefix = "all", []string{"preinst", "postinst", "prerm", "postrm"}, "#!/bin/sh\n"
		p.Triggers = rapid.SampledFrom([][]string{nil, {"interest-noawait /usr/src", "activate-await x"}}).Draw(t, "triggers")
	} else {
		p.Relations.Supplements = list("supplements")
		p.FileTriggers = rapid.SampledFrom([][]pkgfmt.FileTrigger{nil, {{On: pkgfmt.AfterRemoval, Prefixes: []string{"/a", "/b c"}, Script: "cat\n"}}}).Draw(t, "file triggers")
	}
	for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID).Draw(t, "scripts") {
		p.Scripts[name] = prefix + text.Draw(t, name) + "\n"
	}
	return p
}

// anyFiles draws files, none of which is a directory of another.
func anyFiles(t *rapid.T, f pkgfmt.Format) []pkgfmt.File {
	kinds := []pkgfmt.FileKind{pkgfmt.Regular, pkgfmt.Config, pkgfmt.Directory, pkgfmt.Link, pkgfmt.Doc, pkgfmt.Licence}
	if f == pkgfmt.RPM {
		kinds = append(kinds, pkgfmt.Ghost)
	}
	name := rapid.StringMatching(`f[A-Za-z0-9 ._+~\[\]*?"'\\$äß-]{1,120}`)
	files := map[string]pkgfmt.File{}
	for range rapid.IntRange(0, 12).Draw(t, "files") {
		dir := rapid.SampledFrom([]string{"/etc", "/usr/src/a", "/usr/src/b/c", "/" + strings.Repeat("long/", 40) + "x"}).Draw(t, "dir")
		file := pkgfmt.File{Path: dir + "/" + name.Draw(t, "file"), Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Mode: fs.FileMode(rapid.IntRange(0, 0o777).Draw(t, "mode"))}
		if file.Kind == pkgfmt.Config {
			file.Path = strings.TrimRight(file.Path, " ") // as a .deb must have it
		}
		switch file.Kind {
		case pkgfmt.Link:
			file.Target, file.Mode = name.Draw(t, "target"), 0o777
		case pkgfmt.Directory, pkgfmt.Ghost:
		default:
			file.Data = rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(t, "data")
		}
		files[file.Path] = file
	}
	var out []pkgfmt.File
	for _, file := range files {
		out = append(out, file)
	}
	slices.SortFunc(out, func(a, b pkgfmt.File) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// A said is a package, without what a format makes of it: where lines are
// broken, which words it adds.
type said struct {
	Name, Arch, Summary, Description, Homepage, Maintainer, Section, Compression, Change string

	Version                      pkgfmt.Version
	Time                         time.Time
	Relations, Scripts, Triggers []string
	Files                        map[string]string
}

func wanted(p pkgfmt.Package) said {
	s := said{Name: p.Name, Arch: p.Arch, Summary: p.Summary, Description: words(p.Description), Homepage: p.Homepage, Maintainer: p.Maintainer,
		Section: p.Section, Compression: p.Compression.Algorithm, Change: change(p.Changes[0]), Version: p.Version, Time: p.Time, Files: map[string]string{}}
	kinds := []string{"Depends", "Recommends", "Suggests", "Conflicts", "Replaces", "Enhances", "Supplements"}
	if p.Format == pkgfmt.RPM {
		kinds[0], kinds[4] = "Requires", "Obsoletes"
	}
	r := p.Relations
	for i, list := range [][]string{r.Depends, r.Recommends, r.Suggests, r.Conflicts, r.Replaces, r.Enhances, r.Supplements} {
		for _, text := range list {
			s.Relations = append(s.Relations, kinds[i]+": "+text)
		}
	}
	for name, text := range p.Scripts {
		s.Scripts = append(s.Scripts, name+": "+strings.TrimSpace(text))
	}
	s.Triggers = append(s.Triggers, p.Triggers...)
	for _, g := range p.FileTriggers {
		s.Triggers = append(s.Triggers, "transfiletriggerpostun "+strings.Join(g.Prefixes, " ")+strings.TrimSpace(g.Script))
	}
	for _, f := range p.Files {
		mode := f.Mode | map[pkgfmt.FileKind]fs.FileMode{pkgfmt.Directory: fs.ModeDir, pkgfmt.Link: fs.ModeSymlink}[f.Kind]
		file := read.File{Path: f.Path, Mode: mode, Size: int64(len(f.Data)), Target: f.Target, Config: f.Kind == pkgfmt.Config}
		if p.Format == pkgfmt.RPM {
			file.Doc, file.Licence, file.Ghost = f.Kind == pkgfmt.Doc, f.Kind == pkgfmt.Licence, f.Kind == pkgfmt.Ghost
		}
		s.Files[f.Path] = fileWords(file, f.Data)
	}
	return sorted(s)
}

func found(t *rapid.T, path string) said {
	p, err := read.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s := said{Name: p.Name, Arch: p.Arch, Summary: p.Summary, Description: words(p.Description), Homepage: p.Homepage, Maintainer: p.Maintainer,
		Section: p.Section, Compression: p.Compression, Change: change(*p.Change), Version: p.Version, Time: p.Time, Files: map[string]string{}}
	for _, r := range p.Relations {
		if r.Kind != "Provides" && !strings.HasPrefix(r.Text, "rpmlib(") && r.Text != "/bin/sh" {
			s.Relations = append(s.Relations, r.Kind+": "+r.Text)
		}
	}
	for _, script := range p.Scripts {
		s.Scripts = append(s.Scripts, script.Name+": "+strings.TrimSpace(script.Text))
	}
	for _, g := range p.Triggers {
		s.Triggers = append(s.Triggers, g.Kind+" "+strings.Join(g.Names, " ")+strings.TrimSpace(g.Text))
	}
	contents := map[string][]byte{}
	err = p.Walk(func(f read.File, body io.Reader) error {
		contents[f.Path], err = io.ReadAll(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Files {
		if f.Owner != "root" || f.Group != "root" || !f.Time.Equal(p.Time) {
			t.Errorf("%s: is %s's and %s's, of %s", f.Path, f.Owner, f.Group, f.Time)
		}
		if drawn := !strings.HasPrefix(f.Path, "/usr/share/") && strings.HasPrefix(filepath.Base(f.Path), "f"); drawn {
			s.Files[f.Path] = fileWords(f, contents[f.Path])
		}
	}
	return sorted(s)
}

func fileWords(f read.File, data []byte) string {
	size := f.Size
	if f.Mode&fs.ModeType != 0 {
		size = 0
	}
	return fmt.Sprintf("%v %d -> %q config %v doc %v licence %v ghost %v: %x", f.Mode, size, f.Target, f.Config, f.Doc, f.Licence, f.Ghost, data)
}

func words(s string) string { return strings.Join(strings.Fields(s), " ") }

// change has the lines without the format's bullets.
func change(c pkgfmt.Change) string {
	var text []string
	for _, line := range c.Lines {
		text = append(text, strings.TrimLeft(line, " *-"))
	}
	return fmt.Sprintf("%v %v %s %s", c.Version, c.Time.UTC(), c.Author, words(strings.Join(text, " ")))
}

func sorted(s said) said {
	slices.Sort(s.Relations)
	slices.Sort(s.Scripts)
	slices.Sort(s.Triggers)
	return s
}

// TestCut: a package that ends anywhere before its end is refused.
func TestCut(t *testing.T) {
	t.Parallel()
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		for _, algorithm := range algorithms {
			p := ours(f)
			p.Compression.Algorithm = algorithm
			var out bytes.Buffer
			if err := write.To(p, &out); err != nil {
				t.Fatal(err)
			}
			const parts = 50
			dir := t.TempDir()
			path := filepath.Join(dir, "package")
			for i := range parts + 1 {
				length := min(out.Len()*i/parts, out.Len()-1)
				if err := os.WriteFile(path, out.Bytes()[:length], 0o644); err != nil {
					t.Fatal(err)
				}
				got, err := read.Open(path)
				if err == nil {
					err = got.Walk(func(_ read.File, body io.Reader) error {
						_, err := io.Copy(io.Discard, body)
						return err
					})
				}
				var e *dkms.Error
				if !errors.As(err, &e) || e.Kind != dkms.ArchiveInvalid || !strings.HasPrefix(e.Object, path) {
					t.Errorf("%s, %s, %d of %d bytes: %v; want an error about the package", f, algorithm, length, out.Len(), err)
				}
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		}
	}
}
