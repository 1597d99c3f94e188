package write

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// versionOf is a version as both formats' tools print it.
func versionOf(v pkgfmt.Version) string {
	s := v.Upstream
	if v.Epoch > 0 {
		s = fmt.Sprintf("%d:%s", v.Epoch, s)
	}
	if v.Revision != "" {
		s += "-" + v.Revision
	}
	return s
}

// debChangelog is the file for p.Changes, deb-changelog(5), where the package
// does not bring one itself. A package without a revision is its own upstream:
// its changelog is called so (policy 12.7).
func debChangelog(p pkgfmt.Package) ([]pkgfmt.File, error) {
	dir := "/usr/share/doc/" + p.Name + "/"
	name := dir + "changelog.gz"
	if p.Version.Revision != "" {
		name = dir + "changelog.Debian.gz"
	}
	if len(p.Changes) == 0 || slices.ContainsFunc(p.Files, func(f pkgfmt.File) bool { return f.Path == name }) {
		return nil, nil
	}
	var text bytes.Buffer
	for i, c := range p.Changes {
		if i > 0 {
			text.WriteString("\n")
		}
		fmt.Fprintf(&text, "%s (%s) unstable; urgency=medium\n\n", p.Name, versionOf(c.Version))
		for _, line := range c.Lines {
			text.WriteString(wrapped(line, "  * ", "    ", 80))
		}
		fmt.Fprintf(&text, "\n -- %s  %s\n", c.Author, c.Time.UTC().Format(time.RFC1123Z))
	}
	data, err := gzipped(text.Bytes())
	return []pkgfmt.File{{Path: name, Kind: pkgfmt.Doc, Mode: 0o644, Data: data}}, err
}

// gzipped is gzip without a time, so that the same is always the same.
func gzipped(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// rpmChange is the heading and the text of a change in %changelog.
func rpmChange(c pkgfmt.Change) (name, text string) {
	var b strings.Builder
	for _, line := range c.Lines {
		b.WriteString(wrapped(line, "- ", "  ", 80))
	}
	return c.Author + " - " + versionOf(c.Version), strings.TrimRight(b.String(), "\n")
}
