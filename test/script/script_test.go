package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "dkms-hook-script-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "dkms-hook")
	if err := build(dir); err != nil {
		panic(err)
	}
	if err := os.Symlink("dkms-hook", filepath.Join(dir, "dkms")); err != nil {
		panic(err)
	}
	return m.Run()
}

func TestScripts(t *testing.T) {
	t.Parallel()
	releases := kernels(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(binary)+string(filepath.ListSeparator)+os.Getenv("PATH"))
			env.Setenv("K", releases[0])
			env.Setenv("K2", releases[1])
			// The directories, so that no script has to spell them.
			for _, dir := range []string{"tree", "src", "out", "modules/" + releases[0], "modules/" + releases[1]} {
				if err := os.MkdirAll(filepath.Join(env.WorkDir, dir), 0o755); err != nil {
					return err
				}
			}
			for _, k := range releases[:2] {
				headers, err := filepath.EvalSymlinks("/lib/modules/" + k + "/build")
				if err != nil {
					return err
				}
				if err := os.Symlink(headers, filepath.Join(env.WorkDir, "modules", k, "build")); err != nil {
					return err
				}
			}
			env.Values[lastKey{}] = &last{}
			env.Setenv("DKMSTREE", "--dkmstree="+env.WorkDir+"/tree")
			env.Setenv("SOURCETREE", "--sourcetree="+env.WorkDir+"/src")
			env.Setenv("INSTALLTREE", "--installtree="+env.WorkDir+"/modules")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"dkms":       program("dkms"),
			"dkms-hook":  program("dkms-hook"),
			"dkms-mkpkg": program("dkms-mkpkg"),
			"status":     exitStatus,
			"snapshot":   snapshot(t),
			"unchanged":  unchanged(t),
			"waitfor":    waitFor,
			"traced":     traced,
		},
	})
}

// kernels returns two releases whose headers are here.
func kernels(t *testing.T) []string {
	found, _ := filepath.Glob("/lib/modules/*/build/include/config/auto.conf")
	var releases []string
	for _, path := range found {
		releases = append(releases, strings.Split(path, "/")[3])
	}
	if len(releases) < 2 {
		lack := "needs the headers of two kernels: linux-headers-amd64 linux-headers-cloud-amd64"
		if os.Getenv("CI") == "true" {
			t.Fatal(lack)
		}
		t.Skip(lack)
	}
	return releases
}
