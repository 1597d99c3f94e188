package tree

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

func TestRuns(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	if paths, err := tr.Runs(); err != nil || len(paths) != 0 {
		t.Errorf("Runs() without any = %q, %v", paths, err)
	}
	began := time.Date(2025, 12, 31, 23, 59, 59, 900_000_000, time.FixedZone("", -5*3600))
	for i := range keptRuns + 20 {
		must(t, tr.AddRun(began.Add(time.Duration(i)*time.Millisecond), fmt.Appendf(nil, "%d", i)))
	}
	must(t, tr.AddRun(began.Add(119*time.Millisecond), []byte("119 again")))
	write(t, filepath.Join(tr.runsDir(), "notes.txt"), "a person's")
	paths, err := tr.Runs()
	must(t, err)
	if len(paths) != keptRuns {
		t.Fatalf("%d records are kept; want %d", len(paths), keptRuns)
	}
	for i, path := range paths {
		want := fmt.Sprint(i + 20)
		if i == keptRuns-1 {
			want = "119 again"
		}
		if got := read(t, path); got != want {
			t.Errorf("%s = %q; want %q", path, got, want)
		}
	}
	if got, want := filepath.Base(paths[0]), fmt.Sprintf("20260101T045959.920000Z-%d.json", os.Getpid()); got != want {
		t.Errorf("name = %q; want %q", got, want)
	}
	s, err := tr.Scan(t.Context())
	if err != nil || len(s.Problems)+len(s.Packages) != 0 {
		t.Errorf("Scan() = %+v, %v; want nothing of it to show", s, err)
	}
}

// TestRunRemnants: what a crash left goes, records stay.
func TestRunRemnants(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	must(t, tr.AddRun(time.Now(), []byte("{}")))
	temp := filepath.Join(tr.runsDir(), ".20260101T045959.920000Z-7.json8271638467234")
	write(t, temp, "{")
	write(t, tr.own(".digests.json8271638467234"), "{")
	_, err := tr.Sweep(t.Context())
	must(t, err)
	if left, _ := filepath.Glob(tr.own(".*8271638467234")); len(left) != 0 {
		t.Errorf("left %q", left)
	}
	entries, _ := os.ReadDir(tr.runsDir())
	if len(entries) != 1 || strings.HasPrefix(entries[0].Name(), ".") {
		t.Errorf("runs hold %v; want the record", entries)
	}
}

func TestRunNowhere(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	write(t, tr.runsDir(), "a file where a directory should be")
	wantError(t, tr.AddRun(time.Now(), nil), dkms.Unknown, "run cannot be recorded")
	if _, err := tr.Runs(); err != nil {
		t.Errorf("Runs() = %v; want none and no error", err)
	}
}
