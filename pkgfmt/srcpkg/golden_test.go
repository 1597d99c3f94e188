package srcpkg

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dkms-hook/dkms-hook/internal/golden"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// TestGolden: all that packages hold, but for the content of files that only
// pass through.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		of   *source.Description
	}{{"sample", sample()}, {"bare", bare()}} {
		for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
			golden.File(t, filepath.Join("testdata", c.name+"."+string(f)+".txtar"), archive(composed(t, c.of, f)))
		}
	}
}

// archive is a package as text.
func archive(p pkgfmt.Package) string {
	a := &txtar.Archive{}
	add := func(name, text string) {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(strings.TrimRight(text, "\n") + "\n")})
	}
	var b strings.Builder
	for _, f := range [][2]string{
		{"Format", string(p.Format)}, {"Name", p.Name}, {"Version", p.Version.String()}, {"Arch", p.Arch}, {"Section", p.Section},
		{"License", p.License}, {"Homepage", p.Homepage}, {"Maintainer", p.Maintainer}, {"Vendor", p.Vendor}, {"Summary", p.Summary},
	} {
		fmt.Fprintf(&b, "%s: %s\n", f[0], f[1])
	}
	for _, name := range slices.Sorted(maps.Keys(p.Fields)) {
		fmt.Fprintf(&b, "%s: %s\n", name, p.Fields[name])
	}
	add("about", b.String()+"\n"+p.Description)
	b.Reset()
	r := p.Relations
	for _, l := range []struct {
		name string
		list []string
	}{
		{"Depends", r.Depends}, {"Recommends", r.Recommends}, {"Suggests", r.Suggests}, {"Conflicts", r.Conflicts}, {"Breaks", r.Breaks},
		{"Replaces", r.Replaces}, {"Provides", r.Provides}, {"Enhances", r.Enhances}, {"Supplements", r.Supplements}, {"ForScripts", r.ForScripts},
	} {
		for _, s := range l.list {
			fmt.Fprintf(&b, "%s: %s\n", l.name, s)
		}
	}
	add("relations", b.String())
	b.Reset()
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "%s %s %s\n\t%s\n", c.Version, c.Time.UTC().Format("2006-01-02"), c.Author, strings.Join(c.Lines, "\n\t"))
	}
	add("changes", b.String())
	b.Reset()
	kinds := []string{"regular", "config", "directory", "link", "doc", "licence", "ghost"}
	for _, f := range p.Files {
		fmt.Fprintf(&b, "%s %o %s", kinds[f.Kind], f.Mode, f.Path)
		if f.Target != "" {
			b.WriteString(" -> " + f.Target)
		}
		b.WriteString("\n")
	}
	add("files", b.String())
	for _, f := range p.Files {
		if strings.HasSuffix(f.Path, "/copyright") {
			add(f.Path, string(f.Data))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Scripts)) {
		add("scripts/"+name, p.Scripts[name])
	}
	return string(txtar.Format(a))
}
