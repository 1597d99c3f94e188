package lint

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	cmpdiff "github.com/google/go-cmp/cmp"
)

// TestCorpus judges real dkms.conf files, and counts what it finds. More
// findings of a rule than were looked at by eye fail: they may be false alarms.
func TestCorpus(t *testing.T) {
	t.Parallel()
	dir := cmp.Or(os.Getenv("DKMS_CONF_CORPUS"), "../shared/corpus/dkms-conf")
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("../..", dir)
	}
	files, err := filepath.Glob(filepath.Join(dir, "confs", "*.conf"))
	if err != nil || len(files) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("no corpus of dkms.conf files; set DKMS_CONF_CORPUS")
		}
		t.Skip("no corpus of dkms.conf files; set DKMS_CONF_CORPUS")
	}
	seen := map[string]int{ // by eye, on 168 files
		"assigns-preset": 0, "bad-name": 0, "bad-version": 0, "changes-shell": 3, "deprecated-clean": 112, "deprecated-directive": 34,
		"eval": 1, "external-program": 28, "invalid-directive": 11, "make-without-kernel": 24, "never-matches": 2, "no-autoinstall": 10,
		"no-destination": 2, "odd-directive": 7, "own-jobs": 16, "placeholder": 75, "running-kernel": 6, "shell-program": 8,
		"sources-file": 4, "syntax-error": 1, "writes-file": 4,
	}
	counts, clean := map[string]int{}, 0
	for _, file := range files {
		findings, err := Path(context.Background(), file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		again, _ := Path(context.Background(), file)
		if diff := cmpdiff.Diff(findings, again); diff != "" {
			t.Errorf("%s: a second run differs (-first +second):\n%s", file, diff)
		}
		if w := Worst(findings); w == "" || w == Note {
			clean++
		}
		for _, f := range findings {
			counts[f.Rule]++
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(counts)) {
		fmt.Printf("%4d %s\n", counts[rule], rule)
		if counts[rule] > seen[rule] {
			t.Errorf("%s: %d findings; want at most %d", rule, counts[rule], seen[rule])
		}
	}
	fmt.Printf("corpus %s: %d of %d without warnings\n", dir, clean, len(files))
}
