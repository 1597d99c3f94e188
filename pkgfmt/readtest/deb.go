package readtest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
	"github.com/dkms-hook/dkms-hook/pkgfmt/read"
)

func debQuestions(t testing.TB, r *read.Report, path string) []question {
	t.Helper()
	all := []question{
		{"dpkg-deb -f", "fields", unfolded(pkgtest.Output(t, "dpkg-deb", "-f", path)), fields(r)},
		{"dpkg-deb -c", "files", listed(pkgtest.Output(t, "dpkg-deb", "-c", path)), listing(r)},
		{"dpkg-deb -W", "identity", strings.TrimSpace(pkgtest.Output(t, "dpkg-deb", "-W", "--showformat=${Package} ${Version} ${Architecture} ${binary:Summary}", path)),
			fmt.Sprintf("%s %s %s %s", r.Name, r.Version, r.Arch, r.Summary)},
	}
	there := controlFiles(pkgtest.Output(t, "dpkg-deb", "-I", path))
	member := func(name string) string {
		if !slices.Contains(there, name) {
			return ""
		}
		return pkgtest.Output(t, "dpkg-deb", "-I", path, name)
	}
	for _, name := range []string{"config", "preinst", "postinst", "prerm", "postrm"} {
		ours := ""
		for _, s := range r.Scripts {
			if s.Name == name {
				ours = s.Text
			}
		}
		all = append(all, question{"dpkg-deb -I", name, member(name), ours})
	}
	var lines, sums strings.Builder
	for _, g := range r.Triggers {
		fmt.Fprintf(&lines, "%s %s\n", g.Kind, strings.Join(g.Names, " "))
	}
	for _, f := range r.Files {
		if digest, ok := strings.CutPrefix(f.Digest, "md5:"); ok {
			fmt.Fprintf(&sums, "%s  %s\n", digest, strings.TrimPrefix(f.Path, "/"))
		}
	}
	var config []string
	for _, f := range r.Files {
		if slices.Contains(f.Flags, "config") {
			config = append(config, f.Path)
		}
	}
	return append(all,
		question{"dpkg-deb -I", "triggers", withoutComments(member("triggers")), lines.String()},
		question{"dpkg-deb -I", "md5sums", sorted(member("md5sums"), 34), sorted(sums.String(), 34)},
		question{"dpkg-deb -I", "conffiles", strings.TrimSpace(sorted(member("conffiles"), 0)), strings.Join(config, "\n")})
}

// controlFiles are the names that dpkg-deb -I lists.
func controlFiles(text string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^ +\d+ bytes, +\d+ lines +\*? +(\S+)`).FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// withoutComments keeps the lines of a triggers file that say something.
func withoutComments(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) > 0 {
			out.WriteString(strings.Join(words, " ") + "\n")
		}
	}
	return out.String()
}

// sorted sorts lines by what is in them from a column on.
func sorted(text string, from int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[min(from, len(a)):], b[min(from, len(b)):]) })
	return strings.Join(lines, "\n")
}

// unfolded is a control file with each field's lines as the report has them.
func unfolded(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		if strings.HasPrefix(line, " ") {
			if line = line[1:]; line == "." {
				line = ""
			}
			line = "| " + line
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}

func fields(r *read.Report) string {
	var out strings.Builder
	for _, f := range r.Fields {
		for i, line := range strings.Split(f.Value, "\n") {
			if i == 0 {
				line = f.Name + ": " + line
			} else {
				line = "| " + line
			}
			out.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	return out.String()
}

var tarLine = regexp.MustCompile(`^(\S{10}) (\S+)/(\S+) +(\S+) (\S+ \S+) (.*)$`)

// listed is dpkg-deb -c with plain paths, sorted by them, one entry for each;
// sizes of devices, which are numbers, are left out.
func listed(text string) string {
	byPath := map[string]string{}
	for line := range strings.Lines(text) {
		m := tarLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			byPath[line] = line
			continue
		}
		name, target := m[6], ""
		for _, sep := range []string{" -> ", " link to "} {
			if a, b, ok := strings.Cut(name, sep); ok {
				name, target = a, sep+plain(b)
				if sep == " link to " {
					target = sep + clean(plain(b))
				}
			}
		}
		mode, size := m[1], m[4]
		if mode[0] == 'h' {
			mode = "-" + mode[1:]
		}
		name = clean(plain(name))
		if _, twice := byPath[name]; !twice {
			byPath[name] = fmt.Sprintf("%s %s %s %s %s %s%s", mode, m[2], m[3], size, m[5], name, target)
		}
	}
	return inOrder(byPath)
}

func listing(r *read.Report) string {
	byPath := map[string]string{}
	for _, f := range r.Files {
		when, _ := time.Parse(time.RFC3339, f.Time)
		target := ""
		switch {
		case f.Link != "":
			target = " link to " + f.Link
		case f.Target != "":
			target = " -> " + f.Target
		}
		byPath[f.Path] = fmt.Sprintf("%s %s %s %d %s %s%s", read.Letters(f.Mode), f.Owner, f.Group, f.Size, when.Format("2006-01-02 15:04"), f.Path, target)
	}
	return inOrder(byPath)
}

func inOrder(byPath map[string]string) string {
	var out strings.Builder
	keys := make([]string, 0, len(byPath))
	for key := range byPath {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		out.WriteString(byPath[key] + "\n")
	}
	return out.String()
}

// clean makes "./usr/" the path that it means.
func clean(name string) string {
	name = "/" + strings.Trim(strings.TrimPrefix(name, "."), "/")
	return strings.ReplaceAll(name, "//", "/")
}

// plain takes tar's escapes back: \303\266, \\, \n.
func plain(s string) string {
	if text, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`); err == nil {
		return text
	}
	return s
}
