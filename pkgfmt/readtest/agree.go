package readtest

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt/read"
)

// Agree inspects the package at path, and reports to t every difference from
// what the format's own tools print. It returns the report.
func Agree(t testing.TB, path string) *read.Report {
	t.Helper()
	r, err := read.Inspect(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range questions(t, r, path) {
		if diff := cmp.Diff(q.theirs, q.ours); diff != "" {
			t.Errorf("%s: %s (-%s +inspect):\n%s", path, q.about, q.tool, diff)
		}
	}
	return r
}

// A question has an answer of a tool, and one of a report.
type question struct{ tool, about, theirs, ours string }

func questions(t testing.TB, r *read.Report, path string) []question {
	t.Helper()
	if r.Format == "deb" {
		return debQuestions(t, r, path)
	}
	return rpmQuestions(t, r, path)
}

// output runs a program that has to succeed, with nobody's settings.
func output(t testing.TB, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(args[0]); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("lacks %s", args[0])
		}
		t.Skipf("lacks %s", args[0])
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC"}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out)
}
