// Package pkgtest is what the tests of the rooms below pkgfmt share.
package pkgtest

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Needs skips a test that needs programs that are not here; in CI it fails.
func Needs(tb testing.TB, programs ...string) {
	tb.Helper()
	for _, program := range programs {
		switch _, err := exec.LookPath(program); {
		case err == nil:
		case os.Getenv("CI") == "true":
			tb.Fatalf("lacks %s", program)
		default:
			tb.Skipf("lacks %s", program)
		}
	}
}

// Command is a program with nobody's settings.
func Command(args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC"}
	return cmd
}

// Output runs a program that the test needs and that has to succeed, with
// nobody's settings, and returns what it prints.
func Output(tb testing.TB, args ...string) string {
	tb.Helper()
	Needs(tb, args[0])
	cmd := Command(args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out)
}
