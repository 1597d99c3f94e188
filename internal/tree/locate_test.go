package tree

import (
	"path/filepath"
	"testing"
)

func TestLocate(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	dir := tr.KernelDir(release)
	write(t, dir+"/kernel/a/alpha.ko", "")
	write(t, dir+"/kernel/drivers/misc/alpha.ko.xz", "")
	for _, tt := range []struct{ module, dest, want string }{
		{"alpha", "", "kernel/a/alpha.ko"},
		{"alpha", "/kernel/drivers/misc", "kernel/drivers/misc/alpha.ko.xz"},
		{"stock", "/kernel/net", "kernel/drivers/misc/stock.ko"},
		{"beta", "", ""},
	} {
		got, ok := tr.Locate(release, tt.module, tt.dest)
		want := ""
		if tt.want != "" {
			want = filepath.Join(dir, tt.want)
		}
		if got != want || ok != (want != "") {
			t.Errorf("Locate(%q, %q) = %q, %v; want %q", tt.module, tt.dest, got, ok, want)
		}
	}
	if got, ok := tr.Locate("none", "alpha", ""); ok {
		t.Errorf("Locate() in no kernel = %q", got)
	}
}

func TestBuiltFile(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	build(t, tr, r, "alpha.ko.xz")
	if got, ok := tr.BuiltFile(r, "alpha"); got != "alpha.ko.xz" || !ok {
		t.Errorf("BuiltFile(alpha) = %q, %v; want alpha.ko.xz", got, ok)
	}
	for _, r := range []struct{ name, module string }{{"pa", "beta"}, {"pb", "alpha"}} {
		if got, ok := tr.BuiltFile(ref(r.name, "1.0"), r.module); ok {
			t.Errorf("BuiltFile(%s, %s) = %q; want none", r.name, r.module, got)
		}
	}
}
