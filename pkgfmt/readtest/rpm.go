package readtest

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
	"github.com/dkms-hook/dkms-hook/pkgfmt/read"
)

// identity is what rpm is asked for beside its listings.
const identity = "%{NAME} %{EPOCHNUM} %{VERSION} %{RELEASE}|%{SUMMARY}|%{DESCRIPTION}|%{LICENSE}|%{GROUP}|%{BUILDTIME}|%{LONGSIZE}|%|PAYLOADCOMPRESSOR?{%{PAYLOADCOMPRESSOR}}:{none}|"

func rpmQuestions(t testing.TB, r *read.Report, path string) []question {
	t.Helper()
	query := func(args ...string) string {
		return pkgtest.Output(t, append([]string{"rpm", "--dbpath", "/nonexistent", "-qp", "--nosignature", "--nodigest"}, append(args, path)...)...)
	}
	when, _ := time.Parse(time.RFC3339, r.Built)
	all := []question{
		{"rpm", "identity", query("--qf", identity), fmt.Sprintf("%s %d %s %s|%s|%s|%s|%s|%d|%d|%s", r.Name, r.Epoch, r.Upstream, r.Revision,
			r.Summary, r.Description, r.License, r.Section, when.Unix(), r.Size, r.Compression)},
		{"rpm", "--scripts", query("--scripts"), scripts(r)},
		{"rpm", "--triggers", query("--triggers"), triggers(r, false)},
		{"rpm", "--filetriggers", query("--filetriggers"), triggers(r, true)},
		{"rpm", "--dump", dumped(query("--dump")), dump(r)},
	}
	for _, kind := range []string{"Requires", "Provides", "Conflicts", "Obsoletes", "Recommends", "Suggests", "Supplements", "Enhances"} {
		q := "--" + strings.ToLower(kind)
		all = append(all, question{"rpm", q, query("-v", q), relations(r, kind)})
	}
	order := query("--qf", "[%{ORDERFLAGS:deptype}: %{ORDERNAME} %{ORDERFLAGS:depflags} %{ORDERVERSION}\n]")
	return append(all, question{"rpm", "order", spaced(order), spaced(relations(r, "OrderWithRequires"))})
}

// spaced drops blanks that stand for nothing.
func spaced(text string) string {
	var out strings.Builder
	for line := range strings.Lines(strings.ReplaceAll(text, "(none)", "")) {
		out.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return out.String()
}

// relations prints one kind as rpm -q --requires -v does.
func relations(r *read.Report, kind string) string {
	var out strings.Builder
	for _, d := range r.Relations {
		if d.Kind == kind {
			fmt.Fprintf(&out, "%s: %s\n", cmp.Or(strings.Join(d.When, ","), "manual"), d.Text)
		}
	}
	return out.String()
}

func scripts(r *read.Report) string {
	words := map[string]string{"pre": "preinstall", "post": "postinstall", "preun": "preuninstall", "postun": "postuninstall"}
	var out strings.Builder
	for _, s := range r.Scripts {
		name := cmp.Or(words[s.Name], s.Name)
		if s.Text == "" {
			fmt.Fprintf(&out, "%s program: %s\n", name, s.Program)
		} else {
			fmt.Fprintf(&out, "%s scriptlet (using %s):\n%s\n", name, s.Program, s.Text)
		}
	}
	return out.String()
}

func triggers(r *read.Report, file bool) string {
	var out strings.Builder
	for _, g := range r.Triggers {
		if strings.Contains(g.Kind, "file") == file {
			fmt.Fprintf(&out, "%s scriptlet (using %s) -- %s\n%s\n", g.Kind, g.Program, strings.Join(g.Names, ", "), g.Text)
		}
	}
	return out.String()
}

// dump prints files as rpm --dump does, but no directories, whose size is the
// build machine's.
func dump(r *read.Report) string {
	var out strings.Builder
	for _, f := range r.Files {
		mode, _ := strconv.ParseUint(f.Mode, 8, 32)
		if mode>>12 == 0o4 {
			continue
		}
		size := f.Size
		if f.Target != "" {
			size = int64(len(f.Target))
		}
		_, digest, _ := strings.Cut(f.Digest, ":")
		when, _ := time.Parse(time.RFC3339, f.Time)
		flag := func(name string) int { return strings.Count(" "+strings.Join(f.Flags, " ")+" ", " "+name+" ") }
		fmt.Fprintf(&out, "%s %d %d %s %07o %s %s %d %d 0 %s\n", f.Path, size, when.Unix(), cmp.Or(digest, strings.Repeat("0", 64)), mode,
			f.Owner, f.Group, flag("config"), flag("doc"), cmp.Or(f.Target, "X"))
	}
	return out.String()
}

// device is the column of device numbers, which some writers fill for all files.
var device = regexp.MustCompile(`(?m)( 0\d{6} \S+ \S+ [01] [01]) \d+ `)

// dumped is rpm --dump without directories, device numbers, and what it prints
// where there is no file.
func dumped(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if (len(f) < 11 || !strings.HasPrefix(f[len(f)-7], "040")) && line != "(contains no files)\n" {
			out.WriteString(line)
		}
	}
	return device.ReplaceAllString(out.String(), "$1 0 ")
}
