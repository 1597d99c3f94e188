package makefile

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// realModules is what GNU make holds in obj-m after it has read a file as kbuild
// would have it, for a kernel without any option.
func realModules(t *testing.T, fsys fstest.MapFS, file string) []string {
	t.Helper()
	program, err := exec.LookPath("make")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("make is missing")
		}
		t.Skip("make is missing")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, fsys); err != nil {
		t.Fatal(err)
	}
	script := "include " + filepath.Join(dir, file) + "\n__show: ;@echo '@'$(obj-m)\n.DEFAULT_GOAL := __show\n"
	cmd := exec.Command(program, "-s", "-f", "-", "__show", "src="+dir, "obj="+dir)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "KERNELRELEASE=6.1.0", "VERSION=6", "PATCHLEVEL=1", "SUBLEVEL=0", "M=" + dir, "LC_ALL=C"}
	cmd.Dir = t.TempDir()
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("make refuses it: %v", err)
	}
	var names []string
	for _, l := range strings.Split(string(out), "\n") {
		if words, ok := strings.CutPrefix(l, "@"); ok {
			for _, w := range strings.Fields(words) {
				if name, ok := strings.CutSuffix(w, ".o"); ok && !strings.HasPrefix(w, "..") {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// TestMake reads all cases with GNU make, too: what it builds must be listed or
// be among the names that are unclear, and what we are sure of it must build.
func TestMake(t *testing.T) {
	t.Parallel()
	for _, tt := range treeCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newReader(tt.files)
			file := r.kbuildFile("")
			if file == "" || tt.name == "itself included" {
				return // nothing at its top; what makes make itself run out of its stack
			}
			tree, err := ReadFS(tt.files)
			if err != nil {
				t.Fatal(err)
			}
			var listed, sure []string
			for _, m := range tree.Top() {
				if listed = append(listed, join(m.Dir, m.Name)); m.Default == Yes && filepath.Dir(m.File) == "." {
					sure = append(sure, join(m.Dir, m.Name))
				}
			}
			for _, u := range tree.Unclear {
				listed = append(listed, u.Perhaps...)
			}
			built := realModules(t, tt.files, file)
			for _, name := range built {
				if !slices.Contains(listed, name) && !strings.Contains(tt.name, "eval") {
					t.Errorf("make builds %s; Read has %v", name, listed)
				}
			}
			for _, name := range sure {
				if !slices.Contains(built, name) {
					t.Errorf("Read is sure of %s; make builds %v", name, built)
				}
			}
		})
	}
}
