package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

// TestVersion takes tools/version through the life of a release.
func TestVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text, err := os.ReadFile("../tools/version")
	if err != nil {
		t.Fatal(err)
	}
	treetest.WriteProgram(t, filepath.Join(dir, "tools/version"), string(text))
	write := func(version string) {
		t.Helper()
		treetest.Write(t, filepath.Join(dir, "VERSION"), version+"\n")
	}
	env := append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"}, args...)...)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	last := ""
	expect := func(want string) {
		t.Helper()
		cmd := exec.Command(filepath.Join(dir, "tools/version"))
		cmd.Env = env
		out, err := cmd.Output()
		got := strings.TrimSpace(string(out))
		if err != nil || got != want || !versionWords.MatchString(got) {
			t.Errorf("version = %s, %v; want %s", got, err, want)
		}
		if last != "" {
			output(t, "dpkg", "--compare-versions", last, "le", got)
		}
		last = got
	}
	commit := func() string {
		git("commit", "-q", "--allow-empty", "-m", "x")
		return git("rev-parse", "--short=7", "HEAD")
	}

	write("0.2.0")
	expect("0.2.0")
	last = ""
	git("init", "-q")
	git("add", "-A")
	next := commit()
	expect("0.2.0~git1." + next)
	next = commit()
	expect("0.2.0~git2." + next)
	git("tag", "v0.2.0")
	expect("0.2.0")
	next = commit()
	expect("0.2.0+git3." + next)
	write("0.3.0")
	expect("0.3.0~git3." + next + ".dirty")
	git("add", "-A")
	next = commit()
	expect("0.3.0~git4." + next)
}
