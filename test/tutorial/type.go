package tutorial

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TypeUser types what a user does, with further environment variables, and
// returns the directory where it began.
func TypeUser(tb testing.TB, all []Console, env ...string) string {
	tb.Helper()
	home := tb.TempDir()
	dir, n := home, 0
	for _, c := range all {
		if c.Root {
			continue
		}
		for _, command := range c.Commands {
			dir = typeOne(tb, command, dir, env)
			n++
		}
	}
	if n < 10 {
		tb.Fatalf("%d commands in the tutorial", n)
	}
	return home
}

// typeOne types a command in a shell of its own, and returns the directory that
// it ends in, where the next one begins.
func typeOne(tb testing.TB, c Command, dir string, env []string) string {
	tb.Helper()
	where, err := os.Create(filepath.Join(tb.TempDir(), "pwd"))
	if err != nil {
		tb.Fatal(err)
	}
	defer where.Close()
	cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", c.Text+"\npwd >&3")
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "LC_ALL=C"), env...)
	cmd.ExtraFiles = []*os.File{where}
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("$ %s\n%s%v", c.Text, out, err)
	}
	c.Printed(tb, string(out))
	now, err := os.ReadFile(where.Name())
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(string(now))
}

// Printed demands the lines that the tutorial says the command prints.
func (c Command) Printed(tb testing.TB, out string) {
	tb.Helper()
	for _, line := range c.Prints {
		if !strings.Contains("\n"+out, "\n"+line+"\n") {
			tb.Errorf("%s\nprints no line %q:\n%s", c.Text, line, out)
		}
	}
}
