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
			other, _ := builtTaker(t, k)
			for _, tt := range []struct {
				name, dir string
				built     []Built
			}{
				{"two modules", "extra/Sample", []Built{two}},
				{"compressed", "extra/Sample", []Built{compressed(t, two)}},
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

// compressed is b with its modules as a kernel has them that compresses its own.
func compressed(t *testing.T, b Built) Built {
	t.Helper()
	b.Modules = plain(t, b)
	for i := range b.Modules {
		m := &b.Modules[i]
		var err error
		if m.Path, err = ko.Compress(t.Context(), m.Path, ".ko.xz", ko.CompressOptions{}); err != nil {
			t.Fatal(err)
		}
		m.File = filepath.Base(m.Path)
	}
	return b
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
