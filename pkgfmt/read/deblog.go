package read

import (
	"bytes"
	"io"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// A debLog keeps a .deb's changelog while its files pass by.
type debLog struct {
	name string // of the package
	rank int    // of the kept one
	data []byte
}

// maxLog is how many compressed bytes of a changelog are read; those of Linux
// have 2 MiB.
const maxLog = 8 << 20

// debLogs are the names of a changelog, worst first: where there is
// changelog.Debian.gz, changelog.gz is upstream's (Debian Policy, 12.7).
var debLogs = []string{"changelog", "changelog.gz", "changelog.Debian", "changelog.Debian.gz"}

func (l *debLog) rankOf(f File) int {
	name, ok := strings.CutPrefix(f.Path, "/usr/share/doc/"+l.name+"/")
	if !ok || !f.Regular() || f.Size > maxLog {
		return 0
	}
	for i, known := range debLogs {
		if name == known {
			return i + 1
		}
	}
	return 0
}

func (l *debLog) wants(f File) bool { return l.rankOf(f) > l.rank }

func (l *debLog) keep(f File, body io.Reader) (err error) {
	l.rank = l.rankOf(f)
	l.data, err = io.ReadAll(body)
	return err
}

// newest returns the first entry; nil when there is none that can be read, which
// a package may well have.
func (l *debLog) newest() *pkgfmt.Change {
	if bytes.HasPrefix(l.data, []byte("\x1f\x8b")) {
		r, err := decompress("gzip", bytes.NewReader(l.data), int64(len(l.data)), maxControl)
		if err != nil {
			return nil
		}
		defer r.close()
		l.data, _ = io.ReadAll(io.LimitReader(r, maxLog)) // the first entry may be whole
	}
	return parseChangelog(string(l.data))
}

// parseChangelog reads the first entry of a Debian changelog,
// deb-changelog(5): a line `NAME (VERSION) …`, indented lines, and a line
// ` -- AUTHOR <ADDRESS>  DATE`.
func parseChangelog(text string) *pkgfmt.Change {
	var change *pkgfmt.Change
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		switch who, signed := strings.CutPrefix(line, " -- "); {
		case line == "":
		case change == nil:
			_, rest, ok := strings.Cut(line, " (")
			version, _, closed := strings.Cut(rest, ")")
			if !ok || !closed || line[0] == ' ' {
				return nil
			}
			change = &pkgfmt.Change{Version: splitVersion(version)}
		case signed:
			author, date, _ := strings.Cut(who, "  ")
			change.Author = author
			if when, err := time.Parse("Mon, _2 Jan 2006 15:04:05 -0700", date); err == nil {
				change.Time = when.UTC()
			}
			return change
		case line[0] != ' ':
			return nil
		default:
			change.Lines = append(change.Lines, strings.TrimPrefix(line, "  "))
		}
	}
	return nil
}
