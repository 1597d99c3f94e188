package tree

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// keptRuns is how many run records are kept.
const keptRuns = 100

// runTime, in UTC, makes the byte order of the names that of the runs.
const runTime = "20060102T150405.000000Z"

// AddRun keeps the record of a run that began at began, as
// TREE/.dkms-hook/runs/TIME-PID.json; what is in it is the caller's. A second
// one with the same time from the same process replaces the first. The newest
// 100 records are kept. It is called under the lock.
func (t Tree) AddRun(began time.Time, record []byte) error {
	if err := t.addRun(began, record); err != nil {
		return problem(t.runsDir(), "run cannot be recorded", err)
	}
	return nil
}

func (t Tree) addRun(began time.Time, record []byte) error {
	if err := t.at("run"); err != nil {
		return err
	}
	if err := os.MkdirAll(t.runsDir(), 0o755); err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%d.json", began.UTC().Format(runTime), os.Getpid())
	if err := system.WriteFile(filepath.Join(t.runsDir(), name), record, 0o644); err != nil {
		return err
	}
	paths, err := t.Runs()
	if err != nil {
		return err
	}
	for _, path := range paths[:max(0, len(paths)-keptRuns)] {
		if err := removeIf(path); err != nil {
			return err
		}
	}
	return nil
}

// Runs returns the paths of the run records, the oldest first.
func (t Tree) Runs() ([]string, error) {
	entries, err := os.ReadDir(t.runsDir())
	if err != nil && !isMissing(err) {
		return nil, problem(t.runsDir(), "cannot be read", err)
	}
	var paths []string
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") && strings.HasSuffix(e.Name(), ".json") {
			paths = append(paths, filepath.Join(t.runsDir(), e.Name()))
		}
	}
	slices.Sort(paths)
	return paths, nil
}
