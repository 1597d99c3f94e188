package source

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// maxSource is the biggest C source that is looked into, maxNotice how much at
// its beginning for what licence it is under; both in bytes.
const (
	maxSource = 4 << 20
	maxNotice = 8 << 10
)

// Macros are what the C sources below a directory say of the modules.
type Macros struct {
	Version     string   // of MODULE_VERSION; empty when there is none, or several differ
	Description string   // of the first MODULE_DESCRIPTION
	Authors     []string // of MODULE_AUTHOR, none twice
	License     string   // an SPDX expression; empty: unknown
	Files       []FileMacros
}

// FileMacros are the macros of one C source; empty is what it does not say.
type FileMacros struct {
	Path        string // relative, with slashes
	Version     string // MODULE_VERSION
	Description string // MODULE_DESCRIPTION
	Authors     []string
	License     string // MODULE_LICENSE as it stands: GPL, GPL v2, Dual BSD/GPL
	SPDX        string // SPDX-License-Identifier, an SPDX expression
	OrLater     bool   // a notice allows any later version of the licence
	Only        bool   // a notice of the GPL does not, and there is no tag
}

// ReadMacros reads the C sources below dir, those that would be packaged:
// MODULE_VERSION, MODULE_DESCRIPTION, MODULE_AUTHOR and MODULE_LICENSE of
// <linux/module.h>, by way of #define and stringification where that can be
// told without a compiler, and SPDX-License-Identifier. The errors are those of
// Read for what is wrong with the tree.
func ReadMacros(dir string) (Macros, error) {
	w, err := openTree(dir)
	if err != nil {
		return Macros{}, err
	}
	defer w.close()
	if err := w.run(context.Background()); err != nil {
		return Macros{}, err
	}
	return summed(readMacros(w.root, w.files)), nil
}

// openTree begins a walk of a directory; the caller closes its root.
func openTree(dir string) (*walk, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, noSource(dir, err)
	}
	return &walk{dir: abs, root: root, ignore: &ignorer{}, most: maxFiles}, nil
}

var (
	spdxTag = regexp.MustCompile(`SPDX-License-Identifier:[ \t]*([^\n\r]*)`)
	orLater = regexp.MustCompile(`(?s)any\s[\s*/#]*later[\s*/#]+version`)
	gpl     = regexp.MustCompile(`(?is)general[\s*/#]+public[\s*/#]+licen[cs]e`)
	// aside are directories of what is no part of a module.
	aside = regexp.MustCompile(`(?i)(^|/)(tests?|testing|tools?|utils?|examples?|samples?|docs?|userspace|scripts?)/`)
)

// readMacros reads the C sources among files, in their order. Those that
// cannot be read have been told of by others.
func readMacros(root *os.Root, files []pkgfmt.File) []FileMacros {
	var out []FileMacros
	headers := &headerFiles{root: root, files: files}
	for _, f := range files {
		ext := path.Ext(f.Path)
		if f.Kind != pkgfmt.Regular || f.Size > maxSource || ext != ".c" && ext != ".h" && ext != ".S" || aside.MatchString(f.Path) {
			continue
		}
		raw, err := readSmall(root, f.Path, maxSource)
		if err != nil {
			continue
		}
		if m := fileMacros(string(raw), headers.lookup); m.says() {
			m.Path = f.Path
			out = append(out, m)
		}
	}
	return out
}

// says tells whether there is anything in it.
func (m FileMacros) says() bool {
	return m.Version != "" || m.Description != "" || m.Authors != nil || m.License != "" || m.SPDX != "" || m.OrLater || m.Only
}

func fileMacros(text string, lookup func(string) string) FileMacros {
	var m FileMacros
	notice := text[:min(len(text), maxNotice)]
	if i := strings.Index(notice, "SPDX"); i >= 0 {
		if tag := spdxTag.FindStringSubmatch(notice[i:]); tag != nil {
			m.SPDX, _ = spdxExpression(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(tag[1]), "*/")))
		}
	}
	m.OrLater = strings.Contains(notice, "later") && orLater.MatchString(notice)
	m.Only = m.SPDX == "" && !m.OrLater && (strings.Contains(notice, "eneral") || strings.Contains(notice, "ENERAL")) && gpl.MatchString(notice)
	if !strings.Contains(text, "MODULE_") {
		return m
	}
	c := parseC(text)
	first := func(name string) string {
		for _, arguments := range c.calls(name) {
			if s, ok := c.value(arguments, lookup); ok {
				return oneLine(s)
			}
		}
		return ""
	}
	m.Version, m.Description, m.License = first("MODULE_VERSION"), first("MODULE_DESCRIPTION"), first("MODULE_LICENSE")
	for _, arguments := range c.calls("MODULE_AUTHOR") {
		if s, ok := c.value(arguments, lookup); ok && oneLine(s) != "" {
			m.Authors = append(m.Authors, oneLine(s))
		}
	}
	return m
}

// oneLine is text on one line, without what is not text.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	return strings.Join(strings.Fields(s), " ")
}

// headerFiles look up the macros of a tree's headers, which are read when the
// first one is asked for.
type headerFiles struct {
	root    *os.Root
	files   []pkgfmt.File
	defines map[string]string
}

// lookup returns what a macro stands for, or nothing if headers differ.
func (h *headerFiles) lookup(name string) string {
	if h.defines == nil {
		h.defines = map[string]string{}
		for _, f := range h.files {
			if f.Kind != pkgfmt.Regular || path.Ext(f.Path) != ".h" || f.Size > maxSource {
				continue
			}
			text, err := readSmall(h.root, f.Path, maxSource)
			if err != nil {
				continue
			}
			for name, value := range parseC(string(text)).defines {
				if old, again := h.defines[name]; again && old != value {
					value = ""
				}
				h.defines[name] = value
			}
		}
	}
	return h.defines[name]
}

// summed is what the files say together.
func summed(files []FileMacros) Macros {
	m := Macros{Files: files, Version: commonVersion(files), License: commonLicense(files)}
	for _, f := range files {
		if m.Description == "" {
			m.Description = f.Description
		}
		for _, a := range f.Authors {
			if !slices.Contains(m.Authors, a) {
				m.Authors = append(m.Authors, a)
			}
		}
	}
	return m
}

// commonVersion is the version that all files have that have one.
func commonVersion(files []FileMacros) string {
	version := ""
	for _, f := range files {
		switch {
		case f.Version == "":
		case version == "":
			version = f.Version
		case version != f.Version:
			return ""
		}
	}
	return version
}

// ofModules are the files that modules are called after, foo.c of foo.ko, or
// all of them when there are none.
func ofModules(files []FileMacros, modules []string) []FileMacros {
	if out := called(files, modules...); out != nil {
		return out
	}
	return files
}

// called are the files with one of these names, as sources of modules have them.
func called(files []FileMacros, names ...string) []FileMacros {
	plain := func(s string) string { return strings.ReplaceAll(s, "-", "_") }
	var out []FileMacros
	for _, f := range files {
		base := plain(strings.TrimSuffix(path.Base(f.Path), ".c"))
		for _, suffix := range []string{"", "_main", "_drv", "_core", "_mod", "_module"} {
			short, ok := strings.CutSuffix(base, suffix)
			if ok && slices.ContainsFunc(names, func(n string) bool { return plain(n) == short }) {
				out = append(out, f)
				break
			}
		}
	}
	return out
}
