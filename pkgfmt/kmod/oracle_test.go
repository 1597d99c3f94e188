package kmod

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// TestOracle compares what we read from modules with what kmod's and binutils'
// programs do, by the rules of the generators.
func TestOracle(t *testing.T) {
	t.Parallel()
	kernels := realKernels(t)
	needs(t, "bash", "modinfo", "modprobe", "nm", "objdump", "objcopy", "xz", "awk")
	for _, k := range kernels {
		t.Run(k, func(t *testing.T) {
			t.Parallel()
			_, two := builtSample(t, k)
			compressed := build(t, describe(t, sample), Options{Kernels: []string{k}, ABI: Ksym, InstallTree: fakeTree(t, k, ".xz")})[0]
			d := describe(t, taker)
			d.DKMS.Name = "Taker"
			symvers := filepath.Join(filepath.Dir(two.Modules[0].Path), "Module.symvers")
			other := build(t, d, Options{Kernels: []string{k}, ABI: Ksym, Depends: []kbuild.Depend{{Name: "Sample", Symvers: symvers}}})[0]
			for _, tt := range []struct {
				name, dir string
				built     []Built
			}{
				{"two modules", "extra/Sample", []Built{two}},
				{"compressed", "extra/Sample", []Built{compressed}},
				{"of another package", "extra/Taker", []Built{other}},
				{"all", "extra", []Built{two, other}},
				{"as the kernel's own", "kernel/drivers", []Built{two, other}},
				{"none", "extra", nil},
			} {
				t.Run(tt.name, func(t *testing.T) { compare(t, k, tt.dir, tt.built, two.Symvers) })
			}
		})
	}
}

func compare(t *testing.T, release, below string, built []Built, symvers ko.Symvers) {
	t.Helper()
	dir := mkdir(t, filepath.Join(t.TempDir(), "lib/modules", release, below))
	var facts []Facts
	var files []string
	for _, b := range built {
		for _, m := range b.Modules {
			file := filepath.Join(dir, m.File)
			if err := system.CopyFile(m.Path, file, 0o644); err != nil {
				t.Fatal(err)
			}
			f, err := ReadFacts(file, file)
			if err != nil {
				t.Fatal(err)
			}
			facts, files = append(facts, f), append(files, file)
		}
	}
	got := Generate(facts, symvers)
	for what, have := range map[string][]string{"provides": got.Provides, "requires": got.Requires} {
		want := oracle(t.Context(), t, what, filepath.Join(plainPrefix, release, "build/Module.symvers"), files)
		if diff := cmp.Diff(want, strings.Join(have, "\n")); diff != "" {
			t.Errorf("%s (-generators' rules +ours):\n%s", what, diff)
		}
		if len(files) > 0 && what == "provides" && want == "" {
			t.Errorf("the oracle knows no %s", what)
		}
	}
}

func oracle(ctx context.Context, t *testing.T, what, symvers string, files []string) string {
	t.Helper()
	cmd := exec.CommandContext(ctx, "bash", append([]string{"testdata/oracle.sh", what, symvers}, files...)...)
	cmd.Env = append(os.Environ(), "PATH="+system.SafePath)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("oracle: %v\n%s", err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}
