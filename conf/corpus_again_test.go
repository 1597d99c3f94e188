package conf

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/pattern"
)

// accidents are what dkms's second expansion, without quotes, does to a value
// beyond expanding it, and the undoing of which must make us agree. They are
// applied to both sides, each on top of those before it.
var accidents = []struct {
	why  string
	undo func(string) string
}{
	{"white space is squeezed", func(s string) string { return strings.Join(strings.Fields(s), " ") }},
	{"double quotes inside are lost", func(s string) string {
		return strings.Join(strings.Fields(strings.ReplaceAll(s, `"`, "")), " ")
	}},
	{"backslashes are lost", func(s string) string { return strings.ReplaceAll(s, `\`, "") }},
}

// explain says which accident makes got and want differ, or "".
func explain(got, want string) string {
	for _, a := range accidents {
		if got, want = a.undo(got), a.undo(want); got == want {
			return a.why
		}
	}
	// A pattern that matched files: the blanks may be anything.
	if expr, err := pattern.Regexp(got, pattern.EntireString); err == nil && pattern.HasMeta(got, 0) && got != want {
		if regexp.MustCompile(expr).MatchString(want) {
			return "a pattern is replaced by file names"
		}
	}
	return ""
}

// TestCorpusSecondExpansion compares our second expansion with dkms's own. It
// prints a table of each value where we differ and why; what is not on the
// list of accidents fails.
func TestCorpusSecondExpansion(t *testing.T) {
	t.Parallel()
	dir := corpusDir(t)
	collected := collectedNames(t, dir)
	agreed, total := 0, 0
	for _, row := range corpusIndex(t, dir) {
		for _, number := range slices.Sorted(maps.Keys(corpusKernels)) {
			name := row.number + "." + number
			raw := readExpected(t, filepath.Join(dir, "expected", name+".json"))
			want := readExpected(t, filepath.Join(dir, "expected_dkms", name+".json"))
			_, got, err := evaluateCorpus(t, filepath.Join(dir, "confs", row.number+".conf"), number, raw)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			total++
			same := true
			for _, d := range slices.Sorted(maps.Keys(got)) {
				if row.ignore[d] || !collected[d] {
					continue
				}
				for _, i := range got[d].Indexes() {
					if got[d][i] == want[d][i] {
						continue
					}
					same = false
					why := explain(got[d][i], want[d][i])
					if why == "" {
						t.Errorf("%s %s[%d]:\n\twe   %q\n\tdkms %q\n\tbash %q", name, d, i, got[d][i], want[d][i], raw[d][i])
						continue
					}
					fmt.Printf("%s %s[%d]: %s\n", name, d, i, why)
				}
			}
			if same {
				agreed++
			}
		}
	}
	fmt.Printf("second expansion, corpus %s: %d of %d equal to dkms, the others explained above\n", dir, agreed, total)
}
