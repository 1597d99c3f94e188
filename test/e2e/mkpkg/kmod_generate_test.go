//go:build e2e

package mkpkg

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/kbuild/ko"
	"github.com/dkms-hook/dkms-hook/pkgfmt/kmod"
	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// TestKmodGenerated compares what we read from modules of Debian's kernel, as if
// a package brought them, with what the generators' rules say.
func TestKmodGenerated(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"modinfo", "modprobe", "nm", "objdump", "objcopy"} {
		needs(t, program)
	}
	deb := filepath.Join(box.Project(), "build/e2e/debs/linux-image.deb")
	if _, err := os.Stat(deb); err != nil {
		box.Lacks(t, deb+": make debs fetches it")
	}
	dir := t.TempDir()
	if out, err := exec.Command("dpkg-deb", "-x", deb, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	releases, _ := filepath.Glob(filepath.Join(dir, "lib/modules/*"))
	release := filepath.Base(releases[0])
	table := filepath.Join("/lib/modules", release, "build/Module.symvers")
	symvers, err := ko.ReadSymvers(table)
	if err != nil {
		box.Lacks(t, "the headers of "+release)
	}
	step := 40
	if !*full {
		step = 400
	}
	extra := filepath.Join(releases[0], "extra")
	if err := os.Mkdir(extra, 0o755); err != nil {
		t.Fatal(err)
	}
	seen, relations := 0, 0
	err = filepath.WalkDir(filepath.Join(releases[0], "kernel"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".ko") {
			return err
		}
		if seen++; seen%step != 0 {
			return nil
		}
		module := filepath.Join(extra, d.Name())
		if err := os.Rename(path, module); err != nil {
			return err
		}
		relations += sameRelations(t, module, symvers, table)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d relations of %d modules", relations, seen/step)
	if relations < 10*seen/step {
		t.Errorf("%d relations of %d modules are too few", relations, seen/step)
	}
}

// sameRelations compares those of one module, and says how many there are.
func sameRelations(t *testing.T, module string, symvers ko.Symvers, table string) int {
	t.Helper()
	facts, err := kmod.ReadFacts(module, module)
	if err != nil {
		t.Fatal(err)
	}
	g := kmod.Generate([]kmod.Facts{facts}, symvers)
	for what, have := range map[string][]string{"provides": g.Provides, "requires": g.Requires} {
		oracle := filepath.Join(box.Project(), "pkgfmt/kmod/testdata/oracle.sh")
		out, err := exec.Command("bash", oracle, what, table, module).Output()
		if err != nil {
			t.Fatalf("oracle of %s: %v", module, err)
		}
		if diff := cmp.Diff(strings.TrimSpace(string(out)), strings.Join(have, "\n")); diff != "" {
			t.Errorf("%s: %s (-generators' rules +ours):\n%s", module, what, diff)
		}
	}
	return len(g.Provides) + len(g.Requires)
}
