package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/hooks"
)

func manual(t *testing.T, page string) string {
	t.Helper()
	text, err := script("man/" + page)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestManualActions: every action that --help lists has an entry.
func TestManualActions(t *testing.T) {
	t.Parallel()
	page := manual(t, "dkms-hook.8")
	for _, a := range hooks.Actions(false) {
		if !regexp.MustCompile(`(?m)^\.It Cm ([a-z_]+ , )*` + a.Name + `( |$)`).MatchString(page) {
			t.Errorf("dkms-hook(8) has no entry for the action %s", a.Name)
		}
	}
	for _, e := range hooks.Events() {
		if !regexp.MustCompile(`(?m)^\.It Cm ([a-z-]+ , )*` + e.Name + `( |$)`).MatchString(page) {
			t.Errorf("dkms-hook(8) has no entry for the event %s", e.Name)
		}
	}
}

// built returns the path of a program of ours, which it builds.
func built(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/"+name).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

var option = regexp.MustCompile(`(?:^|\s)(--?[a-zA-Z_-]+)[ ,]`)

// options returns all spellings of the options that --help tells of, for an
// action or without one.
func options(t *testing.T, program string, action ...string) []string {
	t.Helper()
	_, text, ok := strings.Cut(output(t, slices.Concat([]string{program}, action, []string{"--help"})...), "OPTIONS:\n")
	if !ok {
		t.Fatalf("--help of %q has no OPTIONS", action)
	}
	text, _, _ = strings.Cut(text, "\n\n")
	var all []string
	for line := range strings.Lines(text) {
		left, _, _ := strings.Cut(strings.TrimSpace(line), "   ")
		for _, m := range option.FindAllStringSubmatch(left+" ", -1) {
			all = append(all, m[1])
		}
	}
	slices.Sort(all)
	return all
}

// hasOption tells whether a manual page has an entry for an option.
func hasOption(page, option string) bool {
	name := regexp.QuoteMeta(strings.TrimPrefix(option, "-"))
	return regexp.MustCompile(`(?m)^\.It Fl (.* , (Fl )?)?` + name + `( |$)`).MatchString(page)
}

// TestOptions: every option that --help lists is in the manual and in the
// completions.
func TestOptions(t *testing.T) {
	t.Parallel()
	page := manual(t, "dkms-hook.8")
	completions := map[string]string{}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		text, err := script("completion/dkms-hook." + shell)
		if err != nil {
			t.Fatal(err)
		}
		completions[shell] = text
	}
	all := options(t, built(t, "dkms-hook"))
	for _, o := range all {
		if !hasOption(page, o) {
			t.Errorf("dkms-hook(8) has no entry for the option %s", o)
		}
		spelled := map[string]string{"bash": `[ "]` + o + `[ "]`, "zsh": `[{',*]` + o + `[}',=[]`, "fish": ` -[sl] ` + strings.TrimLeft(o, "-") + ` `}
		for shell, pattern := range spelled {
			if !regexp.MustCompile(pattern).MatchString(completions[shell]) {
				t.Errorf("the completion for %s does not know the option %s", shell, o)
			}
		}
	}
	if len(all) < 35 {
		t.Errorf("--help has %d options: this test no longer reads it right", len(all))
	}
}

// setting is a line of the example.
var setting = regexp.MustCompile(`(?m)^#([a-z_]+)=(.*)$`)

// TestSettings: every setting that conf knows is in the example and in the
// manual, and no other. conf tells its names to itself only.
func TestSettings(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../conf/framework.go")
	if err != nil {
		t.Fatal(err)
	}
	example, err := script("framework.conf")
	if err != nil {
		t.Fatal(err)
	}
	page := manual(t, "dkms-framework.conf.5")
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\t\t\{"([a-z_]+)", `).FindAllSubmatch(source, -1) {
		name := string(m[1])
		known[name] = true
		if !strings.Contains(example, "\n#"+name+"=") {
			t.Errorf("the example framework.conf does not have %s", name)
		}
		if !regexp.MustCompile(`(?m)^\.It (Va .* , )?Va ` + name + ` `).MatchString(page) {
			t.Errorf("dkms-framework.conf(5) has no entry for %s", name)
		}
	}
	if len(known) < 20 {
		t.Errorf("conf/framework.go has %d settings: this test no longer reads it right", len(known))
	}
	for _, m := range setting.FindAllStringSubmatch(example, -1) {
		if !known[m[1]] {
			t.Errorf("the example framework.conf has %s, which nobody knows", m[1])
		}
	}
}

// TestExampleIsTheDefault: every value of the example, taken out of its
// comment, is what holds without it, and all of it is read without complaint.
func TestExampleIsTheDefault(t *testing.T) {
	t.Parallel()
	example, err := script("framework.conf")
	if err != nil {
		t.Fatal(err)
	}
	load := func(text string) conf.Framework {
		t.Helper()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "framework.conf"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		f, problems, err := conf.LoadFramework(context.Background(), dir)
		if err != nil || len(problems) > 0 {
			t.Fatalf("framework.conf: %v, %v\n%s", err, problems, text)
		}
		// Without these the tree, the call and the machine decide.
		f.MokSigningKey, f.MokCertificate, f.OnFailure = "", "", ""
		f.CompressGzip, f.CompressXz, f.CompressZstd = nil, nil, nil // set to nothing
		return f
	}
	plain := load(example)
	if diff := cmp.Diff(plain, load(setting.ReplaceAllString(example, "$1=$2"))); diff != "" {
		t.Errorf("the example is not the default (-default +example):\n%s", diff)
	}
}

// TestManualDirectives: every directive that conf knows has an entry.
func TestManualDirectives(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../conf/directive.go")
	if err != nil {
		t.Fatal(err)
	}
	page := manual(t, "dkms.conf.5")
	names := regexp.MustCompile(`(?m)^\t"([A-Z_]+)",$`).FindAllSubmatch(source, -1)
	if len(names) < 25 {
		t.Errorf("conf/directive.go has %d directives: this test no longer reads it right", len(names))
	}
	for _, m := range names {
		if !regexp.MustCompile(`(?m)^\.(It )?Va (.* , )?` + string(m[1]) + `( |$)`).MatchString(page) {
			t.Errorf("dkms.conf(5) has no entry for %s", m[1])
		}
	}
}

// TestManualFormats: groff has no complaints, and whatis finds the names.
func TestManualFormats(t *testing.T) {
	t.Parallel()
	lacks(t, "man")
	for page, names := range map[string]string{
		"dkms-hook.8":           "dkms-hook dkms",
		"dkms.conf.5":           "dkms.conf",
		"dkms-framework.conf.5": "dkms-framework.conf",
		"dkms-mkpkg.1":          "dkms-mkpkg",
	} {
		path := "../templates/man/" + page
		cmd := exec.Command("man", "--warnings=w", "-E", "UTF-8", "-l", path)
		cmd.Env = append(os.Environ(), "MANWIDTH=80", "LC_ALL=C.UTF-8")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if out, err := cmd.Output(); err != nil || stderr.Len() > 0 || len(out) < 1000 {
			t.Errorf("%s: %v, %d bytes, %s", page, err, len(out), stderr.String())
		}
		for _, name := range strings.Fields(names) {
			if got := output(t, "lexgrog", path); !strings.Contains(got, `"`+name+" - ") {
				t.Errorf("lexgrog %s: %s; want %s", page, got, name)
			}
		}
	}
}
