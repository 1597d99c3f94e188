package lint

import (
	"bytes"
	"encoding/json"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dkms-hook/dkms-hook/internal/golden"
)

var sampleFindings = []Finding{
	{Rule: "eval", Severity: Warning, File: "a dir/dkms.conf", Line: 3, Text: "eval runs text that only the run tells", Hint: "assign <values>"},
	{Rule: "eval", Severity: Warning, File: "a dir/dkms.conf", Line: 4, Text: "eval runs text that only the run tells", Hint: "assign <values>"},
	{Rule: "no-conf", Severity: Error, File: "/tmp/x#1%", Text: "there is no dkms.conf"},
	{Rule: "setuid", Severity: Error, File: "x.deb!/usr/bin/ü", Text: "is set-user-ID", Hint: "chmod ug-s"},
}

func TestWriteText(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := WriteText(&b, sampleFindings); err != nil {
		t.Fatal(err)
	}
	want := `a dir/dkms.conf:3: warning: eval runs text that only the run tells [eval]
    hint: assign <values>
a dir/dkms.conf:4: warning: eval runs text that only the run tells [eval]
/tmp/x#1%: error: there is no dkms.conf [no-conf]
x.deb!/usr/bin/ü: error: is set-user-ID [setuid]
    hint: chmod ug-s
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("WriteText (-want +got):\n%s", diff)
	}
}

func TestWriteJSON(t *testing.T) {
	t.Parallel()
	for _, findings := range [][]Finding{nil, sampleFindings} {
		var b bytes.Buffer
		if err := WriteJSON(&b, findings); err != nil {
			t.Fatal(err)
		}
		var got struct{ Findings []Finding }
		d := json.NewDecoder(&b)
		d.DisallowUnknownFields()
		if err := d.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if got.Findings == nil {
			t.Error("findings is null; want a list")
		}
		if diff := cmp.Diff(findings, got.Findings); len(findings) > 0 && diff != "" {
			t.Errorf("WriteJSON (-want +got):\n%s", diff)
		}
	}
}

// TestWriteSARIF asks for what the schema of SARIF 2.1.0 requires of the parts
// that are there, and for what code hosts ask beyond that.
func TestWriteSARIF(t *testing.T) {
	t.Parallel()
	for _, findings := range [][]Finding{nil, sampleFindings} {
		var b bytes.Buffer
		if err := WriteSARIF(&b, findings); err != nil {
			t.Fatal(err)
		}
		var log map[string]any
		if err := json.Unmarshal(b.Bytes(), &log); err != nil {
			t.Fatal(err)
		}
		v := sarifCheck{t: t}
		if v.text(log, "version") != "2.1.0" || !strings.Contains(v.text(log, "$schema"), "sarif-2.1.0") {
			t.Errorf("version %v, $schema %v; want 2.1.0", log["version"], log["$schema"])
		}
		runs := v.list(log, "runs")
		if len(runs) != 1 {
			t.Fatalf("%d runs; want 1", len(runs))
		}
		driver := v.object(v.object(runs[0], "tool"), "driver")
		v.text(driver, "name")
		rules := v.list(driver, "rules")
		for _, r := range rules {
			v.text(r, "id")
			v.text(v.object(r, "shortDescription"), "text")
			v.text(v.object(r, "help"), "text")
			v.level(v.object(r, "defaultConfiguration"))
		}
		results := v.list(runs[0], "results")
		if len(results) != len(findings) {
			t.Fatalf("%d results; want %d", len(results), len(findings))
		}
		for i, r := range results {
			v.result(r, rules, findings[i])
		}
	}
}

// A sarifCheck takes JSON apart and fails where something is missing.
type sarifCheck struct{ t *testing.T }

func (v sarifCheck) result(r map[string]any, rules []map[string]any, want Finding) {
	v.text(v.object(r, "message"), "text")
	v.level(r)
	index, _ := r["ruleIndex"].(float64)
	if id := v.text(r, "ruleId"); int(index) >= len(rules) || rules[int(index)]["id"] != id || id != want.Rule {
		v.t.Errorf("%s: ruleId %q, ruleIndex %v", want, id, index)
	}
	location := v.object(v.list(r, "locations")[0], "physicalLocation")
	uri := v.text(v.object(location, "artifactLocation"), "uri")
	u, err := url.Parse(uri)
	if err != nil || u.Path != want.File || regexp.MustCompile(`[^!-~]`).MatchString(uri) {
		v.t.Errorf("uri %q of %q: %v", uri, want.File, err)
	}
	region, there := location["region"].(map[string]any)
	if there != (want.Line > 0) || there && region["startLine"] != float64(want.Line) {
		v.t.Errorf("%s: region %v", want, region)
	}
}

func (v sarifCheck) text(o map[string]any, name string) string {
	s, _ := o[name].(string)
	if s == "" {
		v.t.Errorf("%s = %v in %v; want a text", name, o[name], o)
	}
	return s
}

func (v sarifCheck) object(o map[string]any, name string) map[string]any {
	m, ok := o[name].(map[string]any)
	if !ok {
		v.t.Errorf("%s = %v in %v; want an object", name, o[name], o)
	}
	return m
}

func (v sarifCheck) list(o map[string]any, name string) (out []map[string]any) {
	list, ok := o[name].([]any)
	if !ok {
		v.t.Errorf("%s = %v in %v; want a list", name, o[name], o)
	}
	for _, e := range list {
		m, _ := e.(map[string]any)
		out = append(out, m)
	}
	return out
}

func (v sarifCheck) level(o map[string]any) {
	if l := v.text(o, "level"); !slices.Contains([]string{"none", "note", "warning", "error"}, l) {
		v.t.Errorf("level %q", l)
	}
}

// TestDocs compares docs/lint-rules.md with the rules.
func TestDocs(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := WriteDocs(&b); err != nil {
		t.Fatal(err)
	}
	golden.File(t, "../../docs/lint-rules.md", b.String())
}

func TestRules(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	name := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	for _, r := range Rules() {
		if seen[r.Name] || !name.MatchString(r.Name) {
			t.Errorf("rule %q: is there twice, or is no name", r.Name)
		}
		seen[r.Name] = true
		if r.Text == "" || strings.HasSuffix(r.Text, ".") || !slices.Contains([]Severity{Error, Warning, Note}, r.Severity) ||
			!slices.Contains([]string{ofConf, ofTree, ofPackage}, r.Scope) {
			t.Errorf("rule %+v: is incomplete", r)
		}
	}
}

// TestRulesAreTested wants a golden finding for each rule.
func TestRulesAreTested(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if f.Name == "want" {
				all.Write(f.Data)
			}
		}
	}
	for _, r := range Rules() {
		if r.Name != "unreadable" && !strings.Contains(all.String(), "["+r.Name+"]") {
			t.Errorf("no golden file has a finding of %s", r.Name)
		}
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		of   []Severity
		want Severity
	}{{nil, ""}, {[]Severity{Note}, Note}, {[]Severity{Note, Error, Warning}, Error}, {[]Severity{Warning, Note}, Warning}} {
		var findings []Finding
		for _, s := range tt.of {
			findings = append(findings, Finding{Severity: s})
		}
		if got := Worst(findings); got != tt.want {
			t.Errorf("Worst(%v) = %q; want %q", tt.of, got, tt.want)
		}
	}
}
