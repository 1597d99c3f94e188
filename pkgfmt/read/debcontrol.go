package read

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"

	"pault.ag/go/debian/control"
)

// The limits of a control file: the library joins lines in a way that takes
// time with the square of their number.
const (
	maxControlFile  = 512 << 10
	maxControlLines = 4000
	maxControlList  = 4 << 20 // conffiles, triggers
)

// debScripts are the maintainer scripts, in the order in which dpkg may run them.
var debScripts = []string{"config", "preinst", "postinst", "prerm", "postrm"}

// debRelations are the fields of deb-control(5) that name other packages.
var debRelations = []string{
	"Pre-Depends", "Depends", "Recommends", "Suggests", "Enhances", "Conflicts", "Breaks", "Replaces", "Provides",
	"Built-Using", "Static-Built-Using",
}

// readControl returns the files of the control archive by name.
func readControl(m member) (map[string][]byte, error) {
	r, err := decompress(suffixes[strings.TrimPrefix(m.Name, "control.tar")], m.Data, m.Size, maxControl)
	if err != nil {
		return nil, unreadable(m.Name, err)
	}
	defer r.close()
	files, archive := map[string][]byte{}, tar.NewReader(r)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, unreadable(m.Name, err)
		}
		name, err := entryPath(h.Name)
		if err != nil {
			return nil, flawed(m.Name+": "+h.Name, "%v", err)
		}
		if h.Typeflag != tar.TypeReg || sparse(h) {
			continue
		}
		name = strings.TrimPrefix(name, "/")
		if _, twice := files[name]; twice || len(files) >= 1000 {
			return nil, flawed(m.Name+": "+name, "is there twice, or is one of too many")
		}
		if files[name], err = io.ReadAll(archive); err != nil {
			return nil, unreadable(m.Name+": "+name, err)
		}
	}
	return files, nil
}

// checkLists refuses lists of a length that nobody has written.
func checkLists(files map[string][]byte) error {
	for _, name := range []string{"conffiles", "triggers"} {
		if len(files[name]) > maxControlList || bytes.Count(files[name], []byte("\n")) > maxWords {
			return flawed(name, "has more than %d bytes or %d lines", maxControlList, maxWords)
		}
	}
	return nil
}

// identifyDeb takes over what the control files say.
func (p *Package) identifyDeb(files map[string][]byte) error {
	fields, err := parseControl(files["control"])
	if err != nil {
		return err
	}
	p.Fields = fields
	field := func(name string) string {
		for _, f := range fields {
			if strings.EqualFold(f.Name, name) {
				return f.Value
			}
		}
		return ""
	}
	p.Name, p.Arch, p.Version = field("Package"), field("Architecture"), splitVersion(field("Version"))
	if p.Name == "" || p.Arch == "" || p.Version.Upstream == "" {
		return flawed("control", "lacks Package, Version or Architecture")
	}
	if err := checkLists(files); err != nil {
		return err
	}
	p.Summary, p.Description, _ = strings.Cut(field("Description"), "\n")
	p.Homepage, p.Maintainer, p.Section, p.Source = field("Homepage"), field("Maintainer"), field("Section"), field("Source")
	if blocks, err := strconv.ParseInt(field("Installed-Size"), 10, 40); err == nil {
		p.Size = blocks << 10
	}
	for _, kind := range debRelations {
		for text := range strings.SplitSeq(field(kind), ",") {
			if text = strings.Join(strings.Fields(text), " "); text != "" {
				p.Relations = append(p.Relations, Relation{Kind: kind, Text: text})
			}
		}
	}
	for _, name := range debScripts {
		if text, ok := files[name]; ok {
			p.Scripts = append(p.Scripts, Script{Name: name, Program: shebang(text), Text: string(text)})
		}
	}
	p.Triggers = debTriggers(files["triggers"])
	return nil
}

// parseControl reads the only paragraph of a control file, deb-control(5).
func parseControl(text []byte) ([]Field, error) {
	switch {
	case text == nil:
		return nil, flawed("control", "is missing")
	case len(text) > maxControlFile || bytes.Count(text, []byte("\n")) > maxControlLines:
		return nil, flawed("control", "has more than %d bytes or %d lines", maxControlFile, maxControlLines)
	case bytes.HasPrefix(text, []byte("-")):
		return nil, flawed("control", "does not begin with a field")
	}
	r, err := control.NewParagraphReader(bytes.NewReader(text), nil)
	if err != nil {
		return nil, unreadable("control", err)
	}
	paragraph, err := r.Next()
	if err != nil {
		return nil, unreadable("control", err)
	}
	var fields []Field
	seen := map[string]bool{"": true}
	for _, name := range paragraph.Order {
		if seen[strings.ToLower(name)] {
			return nil, flawed("control", "has the field %q twice, or without a name", name)
		}
		seen[strings.ToLower(name)] = true
		fields = append(fields, Field{Name: name, Value: strings.TrimRight(paragraph.Values[name], "\n")})
	}
	return fields, nil
}

// shebang returns what follows "#!" in the first line.
func shebang(text []byte) string {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	program, ok := bytes.CutPrefix(line, []byte("#!"))
	if !ok {
		return ""
	}
	return string(bytes.TrimSpace(program))
}

// debTriggers reads a triggers file, deb-triggers(5).
func debTriggers(text []byte) []Trigger {
	var out []Trigger
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) > 0 {
			out = append(out, Trigger{Kind: words[0], Names: words[1:]})
		}
	}
	return out
}

// conffiles returns the paths in a conffiles file, deb-conffiles(5); a line may
// have a flag before the path.
func conffiles(text []byte) map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if i := strings.IndexByte(line, '/'); i >= 0 {
			out[path.Clean(line[i:])] = true
		}
	}
	return out
}

// md5sums returns the digests in an md5sums file, deb-md5sums(5), by path.
func md5sums(text []byte) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, ok := strings.Cut(strings.TrimRight(line, "\n"), " ")
		if ok && len(sum) == 32 {
			out[path.Clean("/"+strings.TrimLeft(name, " *"))] = sum
		}
	}
	return out
}
