//go:build e2e

package probes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/kbuild/probe"
)

// TestSameModules proves that builds which ask the compiler nothing leave the
// same files, every one of them to the byte: objects, modules with their debug
// information, .mod.c, Module.symvers, .cmd. The packages share one memory, so
// most of what they are told was learnt by another.
func TestSameModules(t *testing.T) {
	t.Parallel()
	packages := packages
	if !*full {
		packages = packages[:2]
	}
	memory := probe.New(filepath.Join(t.TempDir(), "memory"))
	for i, name := range packages {
		b := newBench(t, name)
		b.make(t)
		want, modules := b.outcome(t)
		if modules < 2 {
			t.Fatalf("%s left %d modules", name, modules)
		}
		b.Probes = memory
		for round := range 3 {
			b.make(t)
			got, _ := b.outcome(t)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, round %d, is another:\n%s", name, round, diff)
			}
			log, err := os.ReadFile(filepath.Join(b.Scratch, "bin", "probes.log"))
			asked := strings.Count(string(log), "\n")
			switch learnt := i > 0 || round > 0; {
			case learnt && asked > 8, !learnt && asked < 20, round == 2 && asked > 1:
				t.Errorf("%s, round %d: asked %d times (%v)", name, round, asked, err)
			}
			t.Logf("%s, round %d: asked %d times", name, round, asked)
		}
	}
}
