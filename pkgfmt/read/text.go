package read

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// WriteText writes the report for a person to read, in one Write. What comes
// from the package is made visible first, see Visible.
func (r *Report) WriteText(w io.Writer) error {
	t := &text{}
	r.writeIdentity(t)
	r.writeRelations(t)
	r.writeScripts(t)
	r.writeTriggers(t)
	r.writeModules(t)
	r.writeSources(t)
	r.writeChange(t)
	r.writeFiles(t)
	_, err := w.Write(t.Bytes())
	return err
}

// A text is lines, and tables whose second column is aligned.
type text struct {
	bytes.Buffer
	rows  [][2]string
	depth int
}

// line writes one line, indented; words are made visible.
func (t *text) line(format string, args ...any) {
	fmt.Fprintf(t, "%s%s\n", strings.Repeat("  ", t.depth), strings.TrimRight(Visible(fmt.Sprintf(format, args...)), " "))
}

// section begins a part, with fn writing what is in it.
func (t *text) section(title string, fn func()) {
	t.WriteByte('\n')
	t.line("%s", title)
	t.inside(fn)
}

// inside writes what fn writes one step to the right.
func (t *text) inside(fn func()) {
	t.depth++
	fn()
	t.flush()
	t.depth--
}

// row adds a line with two columns; an empty value is left out.
func (t *text) row(label, value string) {
	if value != "" {
		t.rows = append(t.rows, [2]string{label, value})
	}
}

// column adds rows under one label.
func (t *text) column(label string, values []string) {
	for i, v := range values {
		if i > 0 {
			label = ""
		}
		t.rows = append(t.rows, [2]string{label, v})
	}
}

// flush writes the rows.
func (t *text) flush() {
	width := 0
	for _, r := range t.rows {
		width = max(width, len(Visible(r[0])))
	}
	for _, r := range t.rows {
		t.line("%-*s  %s", width, Visible(r[0]), r[1])
	}
	t.rows = nil
}

// quoted writes a text of several lines, each behind a bar, so that nobody
// takes it for ours.
func (t *text) quoted(s string) {
	s = strings.TrimRight(s, "\n")
	if s == "" {
		return
	}
	for line := range strings.SplitSeq(s, "\n") {
		fmt.Fprintf(t, "%s\n", strings.TrimRight(strings.Repeat("  ", t.depth)+"| "+visibleText(line), " "))
	}
}

func (r *Report) writeIdentity(t *text) {
	t.line("%s %s, %s", r.Name, r.Version, r.Arch)
	t.inside(func() {
		t.row("file", fmt.Sprintf("%s (%s, %s)", r.File, r.Format, strings.Replace(r.Compression, "none", "not compressed", 1)))
		t.row("summary", r.Summary)
		t.row("license", r.License)
		t.row("homepage", r.Homepage)
		t.row("maintainer", r.Maintainer)
		t.row("vendor", r.Vendor)
		t.row("section", r.Section)
		t.row("source", r.Source)
		t.row("built", r.Built)
		t.row("size", fmt.Sprintf("%d bytes when installed", r.Size))
		signatures := []string{}
		for _, s := range r.Signatures {
			signatures = append(signatures, s.text())
		}
		if len(signatures) == 0 {
			signatures = append(signatures, "none")
		}
		t.column("signature", signatures)
		t.flush()
		t.quoted(r.Description)
	})
}

func (s SignatureReport) text() string {
	if s.Problem != "" {
		return fmt.Sprintf("%s: %s", s.Over, s.Problem)
	}
	parts := []string{s.Algorithm}
	if s.Key != "" {
		parts = append(parts, "key "+s.Key)
	}
	if s.Time != "" {
		parts = append(parts, s.Time)
	}
	over := "over the " + s.Over
	if strings.HasPrefix(s.Over, "_") {
		over = "in the member " + s.Over
	}
	return fmt.Sprintf("%s, %s (not verified)", strings.Join(parts, ", "), over)
}

func (r *Report) writeRelations(t *text) {
	if len(r.Relations) == 0 {
		return
	}
	t.section("relations", func() {
		before := ""
		for _, d := range r.Relations {
			label := d.Kind
			if label == before {
				label = ""
			}
			before = d.Kind
			value := d.Text
			if len(d.When) > 0 {
				value += "  (" + strings.Join(d.When, ", ") + ")"
			}
			t.row(label, value)
		}
	})
}

func (r *Report) writeScripts(t *text) {
	if len(r.Scripts) == 0 {
		return
	}
	t.section("scripts", func() {
		for _, s := range r.Scripts {
			t.line("%s", heading(s.Name, s.Program, s.Text))
			t.inside(func() { t.quoted(s.Text) })
		}
	})
}

// heading names a script and what runs it.
func heading(name, program, text string) string {
	switch {
	case program == "":
		return name
	case text == "":
		return name + " is " + program
	}
	return name + " (" + program + ")"
}

func (r *Report) writeTriggers(t *text) {
	if len(r.Triggers) == 0 {
		return
	}
	t.section("triggers", func() {
		for _, g := range r.Triggers {
			if g.Program == "" {
				t.row(g.Kind, strings.Join(g.Names, ", "))
				continue
			}
			t.line("%s", heading(g.Kind+" "+strings.Join(g.Names, ", "), g.Program, g.Text))
			t.inside(func() { t.quoted(g.Text) })
		}
	})
}

func (r *Report) writeChange(t *text) {
	if r.Change == nil {
		return
	}
	t.section("newest change", func() {
		head := []string{}
		for _, s := range []string{r.Change.Version, r.Change.Author, r.Change.Time} {
			if s != "" {
				head = append(head, s)
			}
		}
		t.line("%s", strings.Join(head, ", "))
		t.quoted(strings.Join(r.Change.Lines, "\n"))
	})
}

func (r *Report) writeFiles(t *text) {
	if len(r.Files) == 0 {
		return
	}
	owner, size := 0, 0
	for _, f := range r.Files {
		owner = max(owner, len(Visible(f.Owner+":"+f.Group)))
		size = max(size, len(fmt.Sprint(f.Size)))
	}
	t.section(fmt.Sprintf("files (%d)", len(r.Files)), func() {
		for _, f := range r.Files {
			name := f.Path
			switch {
			case f.Link != "":
				name += " = " + f.Link
			case f.Target != "":
				name += " -> " + f.Target
			}
			if len(f.Flags) > 0 {
				name += "  (" + strings.Join(f.Flags, ", ") + ")"
			}
			t.line("%s  %-*s  %*d  %s", Letters(f.Mode), owner, Visible(f.Owner+":"+f.Group), size, f.Size, name)
		}
	})
}
