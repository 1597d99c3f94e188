package script

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A typed is a command of the tutorial, and what the tutorial says it prints.
type typed struct {
	command string // with its here-document
	prints  []string
}

// tutorial returns what a person types after "$" in the console blocks of docs.
func tutorial(text string) (all []typed) {
	inside, root, document := false, false, false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		last := len(all) - 1
		switch {
		case strings.HasPrefix(line, "```"):
			inside, root = line == "```console", false
		case !inside:
		case document:
			all[last].command += "\n" + line
			document = line != "END"
		case strings.HasPrefix(line, "$ "):
			all, root = append(all, typed{command: line[2:]}), false
			document = strings.HasSuffix(line, "<<'END'")
		case strings.HasPrefix(line, "# "): // by root, on another machine
			root = true
		case !root:
			all[last].prints = append(all[last].prints, line)
		}
	}
	return all
}

// TestTutorial types the tutorial: each command succeeds, and prints at least
// what stands there.
func TestTutorial(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/mkpkg-tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := tutorial(string(text))
	if len(commands) < 10 {
		t.Fatalf("%d commands in the tutorial", len(commands))
	}
	dir := t.TempDir()
	for _, c := range commands {
		// One shell after the other, each in the directory of the one before.
		cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", c.command+"\npwd >&3")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "LC_ALL=C", "KERNEL="+kernels(t)[0],
			"PATH="+filepath.Dir(binary)+string(filepath.ListSeparator)+os.Getenv("PATH"))
		where, err := os.Create(filepath.Join(t.TempDir(), "pwd"))
		if err != nil {
			t.Fatal(err)
		}
		cmd.ExtraFiles = []*os.File{where}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("$ %s\n%s%v", c.command, out, err)
		}
		for _, line := range c.prints {
			if !strings.Contains("\n"+string(out), "\n"+line+"\n") {
				t.Errorf("$ %s\nprints no line %q:\n%s", c.command, line, out)
			}
		}
		now, err := os.ReadFile(where.Name())
		if err != nil {
			t.Fatal(err)
		}
		dir = strings.TrimSpace(string(now))
	}
}
