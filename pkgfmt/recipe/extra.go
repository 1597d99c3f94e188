package recipe

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// An extra is a file that a package has besides the source tree.
type extra struct {
	pkgfmt.File
	// InTree is where it lies in the tree; empty: it does not.
	InTree string
	// Inline is its text, if it is short enough to stand in another file.
	Inline string
	// Beside is the name under which it is put beside the tree, if neither.
	Beside string
}

const (
	maxInline = 8 << 10
	maxExtra  = 64 << 20 // bytes of all that lie beside
)

// extras are the files of a package that are not of the source tree in /usr/src
// and no documentation out of it.
func extras(d *source.Description, p pkgfmt.Package) ([]extra, error) {
	var all []extra
	var names []string
	for _, f := range p.Files {
		if inSource(d, f.Path) || f.Kind == pkgfmt.Doc || f.Kind == pkgfmt.Licence {
			continue
		}
		e := extra{File: f}
		if f.Kind == pkgfmt.Regular || f.Kind == pkgfmt.Config {
			if err := e.place(d, &names); err != nil {
				return nil, err
			}
		}
		all = append(all, e)
	}
	return all, nil
}

// place says from where a file is installed.
func (e *extra) place(d *source.Description, names *[]string) error {
	if e.Source != "" {
		if rel, err := filepath.Rel(d.Dir, e.Source); err == nil && slices.ContainsFunc(d.Files, func(f pkgfmt.File) bool { return f.Path == rel && f.Source == e.Source }) {
			e.InTree = rel
			return nil
		}
	}
	data, err := content(e.File, maxExtra)
	if err != nil {
		return err
	}
	if len(data) < maxInline && utf8.Valid(data) && !strings.ContainsFunc(string(data), func(r rune) bool { return r != '\n' && r != '\t' && printable(r) != r }) &&
		strings.HasSuffix(string(data), "\n") {
		e.Inline = string(data)
		return nil
	}
	e.Beside = path.Base(e.Path)
	for i := 2; slices.Contains(*names, e.Beside); i++ {
		e.Beside = fmt.Sprintf("%d-%s", i, path.Base(e.Path))
	}
	*names = append(*names, e.Beside)
	return nil
}

func sourceDir(d *source.Description) string { return "/usr/src/" + treeName(d) }

func inSource(d *source.Description, p string) bool {
	return p == sourceDir(d) || strings.HasPrefix(p, sourceDir(d)+"/")
}

// content returns all of a file of at most that many bytes.
func content(f pkgfmt.File, most int64) ([]byte, error) {
	if f.Source == "" {
		return f.Data, nil
	}
	in, err := os.Open(f.Source)
	if err != nil {
		return nil, &dkms.Error{Object: f.Source, Problem: "cannot be read", Err: err}
	}
	defer func() { _ = in.Close() }()
	data, err := io.ReadAll(io.LimitReader(in, most+1))
	if err == nil && int64(len(data)) > most {
		return nil, &dkms.Error{Kind: dkms.Usage, Object: f.Source, Problem: fmt.Sprintf("is bigger than %d MiB", most>>20)}
	}
	return data, err
}

// shellWord is s as one word of sh.
func shellWord(s string) string {
	if plain.MatchString(strings.TrimPrefix(s, "/")) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// inTree is a path in the tree that no program takes for an option.
func inTree(p string) string {
	if strings.HasPrefix(p, "-") {
		return "./" + p
	}
	return p
}

// heredoc writes a text to a path, by sh.
func heredoc(to, text string) string {
	end := "END"
	for i := 1; strings.Contains("\n"+text, "\n"+end+"\n"); i++ {
		end = fmt.Sprintf("END%d", i)
	}
	return "cat > " + to + " <<'" + end + "'\n" + text + end + "\n"
}
