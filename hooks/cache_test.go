package hooks

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/cache"
	"github.com/dkms-hook/dkms-hook/internal/call"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// TestCacheTurnedOff: with module_cache=no builds keep nothing, and what was kept
// before is shown and removed.
func TestCacheTurnedOff(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := &run{
		machine: &machine.Machine{Tree: tree.Tree{Dir: t.TempDir()}, Framework: conf.Framework{ModuleCache: 0}},
		console: &report.Console{W: t.Output()}, result: &out, call: call.Call{Action: "cache"},
	}
	said := func(words ...string) string {
		t.Helper()
		out.Reset()
		r.call.Operands = words
		if err := r.cache(); err != nil {
			t.Errorf("cache %q: %v", words, err)
		}
		return out.String()
	}
	for _, verb := range []string{"list", "prune"} {
		if got := said(verb); got != "" {
			t.Errorf("cache %s, where nothing was ever kept: %q", verb, got)
		}
	}
	from, dir := t.TempDir(), r.machine.Tree.CacheDir()
	if err := os.WriteFile(filepath.Join(from, "a.ko"), []byte("a"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := cache.New(dir, 1<<20).Put(strings.Repeat("0", 64), "a/1", from, []string{"a.ko"}); err != nil {
		t.Fatal(err)
	}
	if r.usableModules() != nil {
		t.Error("builds have a cache")
	}
	if got := said(); !strings.HasSuffix(got, "   1 bytes  a/1\n") {
		t.Errorf("cache: %q; want what is left", got)
	}
	if got := said("prune"); got != "removed a/1, 1 bytes\n" {
		t.Errorf("cache prune: %q", got)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestInWords(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 bytes", 9000: "9000 bytes", 20 << 10: "20 KiB", 20<<20 + 1: "20 MiB", 3 << 30: "3072 MiB"} {
		if got := inWords(n); got != want {
			t.Errorf("inWords(%d) = %q; want %q", n, got, want)
		}
	}
}
