package srcpkg

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// What is looked through for holders of copyrights: so many files, of each the
// first bytes for notices, and more for MODULE_AUTHOR, which stands at the end.
const (
	maxLooked  = 1000
	maxNotices = 8 << 10
	maxAuthors = 256 << 10
	maxHolders = 50
)

var (
	coded  = regexp.MustCompile(`(?i)(\.[chS]|(^|/)(makefile|kbuild)[^/]*)$`)
	notice = regexp.MustCompile(`(?i)(?:\bcopyright\b[\s:]*(?:\(c\)|©)?|©|\(c\))\s*((?:[12][0-9]{3}|by\b).*)`)
	author = regexp.MustCompile(`(?m)^\s*MODULE_AUTHOR\s*\(\s*"([^"\\]*)"`)
)

// holders are those that notices in the source's files name, else the authors
// that its modules name, else nobody by name.
func holders(d *source.Description) ([]string, error) {
	var noted, authors []string
	looked := 0
	for _, f := range d.Files {
		if f.Kind != pkgfmt.Regular || !coded.MatchString(f.Path) {
			continue
		}
		if looked++; looked > maxLooked || len(noted) >= maxHolders {
			break
		}
		text, err := head(f, maxAuthors)
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(text[:min(len(text), maxNotices)]) {
			if hasAny(line, "opyright", "OPYRIGHT", "(c)", "(C)", "©") { // the expression alone is slow
				noted = appendFound(noted, notice, line)
			}
		}
		if hasAny(text, "MODULE_AUTHOR") {
			authors = appendFound(authors, author, text)
		}
	}
	switch {
	case len(noted) > 0:
		return noted[:min(len(noted), maxHolders)], nil
	case len(authors) > 0:
		return authors[:min(len(authors), maxHolders)], nil
	}
	return []string{"the authors of " + d.DKMS.Name}, nil
}

func hasAny(text []byte, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(text, []byte(w)) })
}

// appendFound appends what the expression's group holds in the text, each once.
func appendFound(list []string, expr *regexp.Regexp, text []byte) []string {
	for _, m := range expr.FindAllStringSubmatch(string(bytes.ToValidUTF8(text, []byte("?"))), -1) {
		if s := plain(m[1]); s != "" && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// plain is what a notice says, without the signs of the comment around it.
func plain(s string) string {
	s = strings.TrimRight(strings.TrimSpace(s), "*/;# \t\r")
	if rest, ok := strings.CutPrefix(s, "by "); ok {
		s = rest
	}
	return strings.Join(strings.Fields(s), " ")
}

// head returns at most that many bytes of a file's content.
func head(f pkgfmt.File, most int64) ([]byte, error) {
	if f.Source == "" {
		return f.Data[:min(int64(len(f.Data)), most)], nil
	}
	file, err := os.Open(f.Source)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Source, err)
	}
	return text, nil
}
