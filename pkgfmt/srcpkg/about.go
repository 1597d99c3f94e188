package srcpkg

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// maxSummary is the length in bytes up to which neither lintian nor rpmlint
// complains.
const maxSummary = 79

// summary is the source's, marked so that the package can be told from those of
// built modules.
func summary(d *source.Description) string {
	const mark = " (DKMS)"
	s := strings.TrimSuffix(strings.Join(strings.Fields(d.Summary), " "), ".")
	switch {
	case s == "":
		return shortened("Source of the kernel modules of "+d.DKMS.Name, maxSummary-len(mark)) + mark
	case strings.Contains(strings.ToLower(s), "dkms"):
		return shortened(s, maxSummary)
	}
	return shortened(s, maxSummary-len(mark)) + mark
}

// shortened cuts s, at the end of a word if one is near, to at most that many
// bytes.
func shortened(s string, most int) string {
	const dots = "..."
	if len(s) <= most {
		return s
	}
	s = strings.ToValidUTF8(s[:most-len(dots)], "")
	if i := strings.LastIndexByte(s, ' '); i > most/2 {
		s = s[:i]
	}
	return s + dots
}

var plainWord = regexp.MustCompile(`^[a-z]+ `)

// capital is a summary that begins with a capital letter, as RPM's do, unless it
// begins with a name.
func capital(s, name string) string {
	if word := plainWord.FindString(s); word == "" || word == name+" " {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// description is the source's own with what is in this package.
func description(d *source.Description) string {
	names := []string{d.DKMS.Name}
	if d.Conf != nil && len(d.Conf.Modules) > 0 {
		names = nil
		for _, m := range d.Conf.Modules {
			names = append(names, m.Dest)
		}
	}
	last := len(names) - 1
	own := fmt.Sprintf("This package brings the source of the kernel module %s, which dkms-hook or dkms builds for each installed kernel.", names[last])
	if last > 0 {
		own = fmt.Sprintf("This package brings the source of the kernel modules %s and %s, which dkms-hook or dkms builds for each installed kernel.",
			strings.Join(names[:last], ", "), names[last])
	}
	if text := strings.TrimSpace(d.Description); text != "" {
		return text + "\n\n" + own
	}
	return own
}

// changes are the source's, in versions as the format has them, with one of this
// very version before them if there is none.
func changes(d *source.Description, f pkgfmt.Format, v pkgfmt.Version) []pkgfmt.Change {
	var out []pkgfmt.Change
	for _, c := range d.Changes {
		mapped, err := pkgfmt.MapVersion(f, c.Version.Upstream)
		if err != nil {
			continue // no tool of the format's would read it
		}
		c.Version.Upstream = mapped.Upstream
		out = append(out, c)
	}
	if len(out) > 0 && sameVersion(out[0].Version, v, d.Release) {
		out[0].Version = v
		return out
	}
	return append([]pkgfmt.Change{{
		Version: v, Time: d.Time, Author: d.Maintainer,
		Lines: []string{fmt.Sprintf("Source of %s %s for DKMS.", d.DKMS.Name, d.DKMS.Version)},
	}}, out...)
}

// sameVersion reports whether an entry of a changelog is about v. Which
// packaging of the version it is does not matter where nobody has said which one
// v is: the entry may be of another's packaging.
func sameVersion(entry, v pkgfmt.Version, release string) bool {
	return entry.Epoch == v.Epoch && entry.Upstream == v.Upstream && (release == "" || entry.Revision == "" || entry.Revision == v.Revision)
}
