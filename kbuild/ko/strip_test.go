package ko

import (
	"context"
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

func TestStripDebug(t *testing.T) {
	t.Parallel()
	for clang, program := range map[bool]string{false: "strip", true: "llvm-strip"} {
		env := []string{"PATH=" + os.Getenv("PATH")}
		if _, err := exec.LookPath(program); err != nil && clang {
			// It takes the same option; what counts here is which one is called.
			dir := t.TempDir()
			if err := os.Symlink(tool(t, "strip"), filepath.Join(dir, program)); err != nil {
				t.Fatal(err)
			}
			env = []string{"PATH=" + dir}
		}
		path := copyOf(t, "alpha")
		before := read(t, path)
		if parsed(t, before).file.Section(".debug_info") == nil {
			t.Fatal("the sample module has no debug information")
		}
		if err := StripDebug(context.Background(), path, clang, env); err != nil {
			t.Fatalf("%s: %v", program, err)
		}
		after := parsed(t, read(t, path))
		if after.file.Section(".debug_info") != nil || after.Type != elf.ET_REL {
			t.Errorf("%s: debug information is still there", program)
		}
		if exports, err := after.Exports(); err != nil || len(exports) != 2 || exports["alpha_add"] == 0 {
			t.Errorf("%s: exports after stripping: %v, %v", program, exports, err)
		}
	}
}

func TestStripDebugFails(t *testing.T) {
	t.Parallel()
	path := copyOf(t, "alpha")
	tests := []struct {
		clang      bool
		env        []string
		path       string
		want, hint string
	}{
		{false, []string{"PATH=/nonexistent"}, path, "alpha.ko: debug information not removed: exec:", "install binutils"},
		{true, []string{"PATH=/nonexistent"}, path, "alpha.ko: debug information not removed: exec:", "install llvm"},
		{false, nil, path + ".none.ko", "alpha.ko.none.ko: debug information not removed: strip: exit status 1: strip: ", ""},
	}
	for _, tt := range tests {
		err := StripDebug(context.Background(), tt.path, tt.clang, tt.env)
		var problem *dkms.Error
		if !errors.As(err, &problem) || !strings.HasPrefix(problem.Error(), tt.want) || !strings.HasPrefix(problem.Hint, tt.hint) {
			t.Errorf("StripDebug = %v; want %q, hint %q", err, tt.want, tt.hint)
		}
	}
}
