package readtest

import (
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
