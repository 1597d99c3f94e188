package script

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

// build builds the programs into dir.
func build(dir string) error {
	cmd := exec.Command("go", "build", "-o", dir+"/", "github.com/dkms-hook/dkms-hook/cmd/...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// last is what a script's commands leave for the next ones.
type last struct {
	status   int
	snapshot map[string]string
}

type lastKey struct{}

func of(ts *testscript.TestScript) *last { return ts.Value(lastKey{}).(*last) }

// program is `dkms ARGS` or `dkms-hook ARGS`, with the script's own trees, or
// `dkms-mkpkg ARGS`.
func program(name string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if name != "dkms-mkpkg" {
			args = append([]string{ts.Getenv("DKMSTREE"), ts.Getenv("SOURCETREE"), ts.Getenv("INSTALLTREE")}, args...)
		}
		cmd := exec.Command(filepath.Join(filepath.Dir(binary), name), args...)
		cmd.Dir = ts.MkAbs(".")
		cmd.Env = append(os.Environ(), "LC_ALL=C", "PATH="+ts.Getenv("PATH"), "TMPDIR="+ts.Getenv("TMPDIR"))
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		_, _ = ts.Stdout().Write(stdout.Bytes())
		_, _ = ts.Stderr().Write(stderr.Bytes())
		of(ts).status = cmd.ProcessState.ExitCode()
		var ee *exec.ExitError
		if err != nil && !errors.As(err, &ee) {
			ts.Fatalf("%s: %v", name, err)
		}
		if neg == (err == nil) {
			ts.Fatalf("%s %s: exit status %d", name, strings.Join(args, " "), of(ts).status)
		}
	}
}

// exitStatus is `status N`: the last program ended with N.
func exitStatus(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := of(ts).status; got != want {
		ts.Fatalf("exit status %d; want %d", got, want)
	}
}

// snapshot remembers the trees.
func snapshot(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) { of(ts).snapshot = take(t, ts) }
}

// unchanged says that the trees are as they were then.
func unchanged(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) {
		if diff := treetest.Diff(of(ts).snapshot, take(t, ts)); diff != "" {
			ts.Fatalf("the disk has changed:\n%s", diff)
		}
	}
}

// waitFor is `waitfor FILE`: something else will make it soon.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	for range 500 {
		if _, err := os.Lstat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("%s has not come", args[0])
}

// take leaves out the lock, which every writing run makes.
func take(t *testing.T, ts *testscript.TestScript) map[string]string {
	found := treetest.Snapshot(t, ts.MkAbs("tree"), ts.MkAbs("src"), ts.MkAbs("modules"), ts.MkAbs("out"))
	for path := range found {
		if strings.HasPrefix(path, ts.MkAbs("tree/.dkms-hook")) {
			delete(found, path)
		}
	}
	return found
}
