package kmod

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// TestOverrides: our modules win over the kernel's own, by real depmod, on the
// kernel they were built for and where they are linked to, in whatever order a
// distribution has the directories.
func TestOverrides(t *testing.T) {
	t.Parallel()
	k := realKernels(t)[0]
	needs(t, "depmod")
	_, b := builtSample(t, k)
	const other = "6.1.0-99-other"
	for _, search := range []string{"", "search updates extra built-in weak-updates\n", "search built-in extra weak-updates\n"} {
		root := t.TempDir()
		for _, m := range b.Modules {
			for _, at := range []string{k + "/kernel/drivers/", k + "/extra/Sample/", other + "/kernel/drivers/", other + "/weak-updates/Sample/"} {
				to := filepath.Join(root, "lib/modules", at, m.File)
				mkdir(t, filepath.Dir(to))
				if strings.Contains(at, "weak-updates") {
					if err := os.Symlink(filepath.Join("../../../", k, "extra/Sample", m.File), to); err != nil {
						t.Fatal(err)
					}
				} else if err := system.CopyFile(m.Path, to, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		put(t, filepath.Join(root, "conf/dist.conf"), search)
		put(t, filepath.Join(root, "conf/kmod-Sample.conf"), overrides(b, "extra/Sample", "weak-updates/Sample", true))
		for release, below := range map[string]string{k: "extra/Sample/", other: "weak-updates/Sample/"} {
			if got := indexed(t, root, release); len(got) != 2 || slices.ContainsFunc(got, func(f string) bool { return !strings.HasPrefix(f, below) }) {
				t.Errorf("with %q, modules of %s: %q; want those in %s", search, release, got, below)
			}
		}
	}
}

// indexed returns what depmod takes for the modules of a kernel.
func indexed(t *testing.T, root, release string) []string {
	t.Helper()
	for _, name := range []string{"modules.order", "modules.builtin"} {
		put(t, filepath.Join(root, "lib/modules", release, name), "")
	}
	out, err := exec.Command("/sbin/depmod", "-b", root, "-C", filepath.Join(root, "conf"), release).CombinedOutput()
	if err != nil {
		t.Fatalf("depmod: %v\n%s", err, out)
	}
	var files []string
	for line := range strings.Lines(read(t, filepath.Join(root, "lib/modules", release, "modules.dep"))) {
		file, _, _ := strings.Cut(line, ":")
		files = append(files, file)
	}
	return files
}
