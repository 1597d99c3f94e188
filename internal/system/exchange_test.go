package system

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestExchange(t *testing.T) {
	t.Parallel()
	for name, exchange := range map[string]func(a, b string) error{"at once": Exchange, "by renames": exchangeByRename} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := twoDirs(t)
			if err := exchange(a, b); err != nil {
				t.Fatal(err)
			}
			if Exists(filepath.Join(a, "file")) || !Exists(filepath.Join(b, "file")) {
				t.Error("the directories did not change places")
			}
			entries, err := os.ReadDir(filepath.Dir(a))
			if len(entries) != 2 || err != nil {
				t.Errorf("left %v, %v; want a and b only", entries, err)
			}
			no := filepath.Join(a, "no")
			if err := exchange(b, no); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("exchange with what is not there = %v; want fs.ErrNotExist", err)
			}
			if !Exists(filepath.Join(b, "file")) {
				t.Error("a failed exchange moved something")
			}
		})
	}
}

func TestSyncTree(t *testing.T) {
	t.Parallel()
	a, _ := twoDirs(t)
	if err := os.Symlink("nowhere", filepath.Join(a, "link")); err != nil {
		t.Fatal(err)
	}
	if err := SyncTree(filepath.Dir(a)); err != nil {
		t.Errorf("SyncTree = %v", err)
	}
	if err := SyncTree(filepath.Join(a, "no")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("SyncTree of nothing = %v; want fs.ErrNotExist", err)
	}
}
