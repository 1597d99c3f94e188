package tree

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

func TestRetire(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	p := r.Package
	wantError(t, tr.Retire(p, Retirement{}), dkms.NotInTree, "pa/1.0: is not in the tree")
	must(t, tr.Unretire(p))
	install(t, tr, r, "alpha.ko")
	before := look(t, tr)

	since := time.Date(2025, 4, 1, 8, 0, 0, 0, time.UTC)
	must(t, tr.Retire(p, Retirement{By: "pa-dkms", Why: "upgrade", Since: since}))
	must(t, tr.Retire(p, Retirement{By: "pa-dkms", Why: "deconfigure"}))
	want := &Retirement{By: "pa-dkms", Why: "deconfigure", Since: since}
	if d := cmp.Diff(want, retired(t, tr, p)); d != "" {
		t.Errorf("retirement (-want +got):\n%s", d)
	}
	installed := []string{"pa/1.0, " + release + ", x86_64: installed"}
	if d := cmp.Diff(installed, statuses(t, tr, CompareOptions{})); d != "" {
		t.Errorf("status of a retired package (-want +got):\n%s", d)
	}
	if _, err := tr.Sweep(t.Context()); err != nil || retired(t, tr, p) == nil {
		t.Errorf("Sweep() = %v, or it took the mark away", err)
	}
	must(t, tr.Unretire(p))
	same(t, before, look(t, tr))
	if got := retired(t, tr, p); got != nil {
		t.Errorf("after Unretire() it is %+v", got)
	}
	must(t, tr.Retire(p, Retirement{}))
	if got := retired(t, tr, p); got == nil || time.Since(got.Since) > time.Minute {
		t.Errorf("retired %+v; want since now", got)
	}
}

func retired(t *testing.T, tr Tree, p dkms.Package) *Retirement {
	t.Helper()
	s, err := tr.Scan(t.Context())
	must(t, err)
	state, ok := s.Find(p)
	if !ok {
		t.Fatalf("%s is not listed", p)
	}
	return state.Retired
}

// TestRetiredWithoutSource: the source goes with its package, the modules stay
// and stay known.
func TestRetiredWithoutSource(t *testing.T) {
	t.Parallel()
	for _, link := range []bool{true, false} {
		tr := newTree(t)
		r := ref("pa", "1.0")
		install(t, tr, r, "alpha.ko")
		must(t, tr.Retire(r.Package, Retirement{By: "pa-dkms"}))
		remove(t, tr.Source(r.Package))
		if !link {
			remove(t, tr.SourceLink(r.Package))
		}
		if _, err := tr.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		s, err := tr.Scan(t.Context())
		must(t, err)
		p, _ := s.Find(r.Package)
		if p.State != dkms.Broken || p.Problem == "" || p.Retired == nil || len(p.Refs) != 1 || p.Refs[0].State != dkms.Installed {
			t.Errorf("Scan() with link %v = %+v; want a broken package with an installed ref", link, s)
		}
		if len(s.Problems) != 0 {
			t.Errorf("problems %v; want none", s.Problems)
		}
		must(t, commit(tr.Uninstall(r, nil)))
		must(t, tr.Unregister(r.Package))
		if got := modules(t, tr); len(got) != 0 {
			t.Errorf("left: %v", got)
		}
	}
}

// TestRetirementUnreadable: in doubt a package stays.
func TestRetirementUnreadable(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	p := ref("pa", "1.0").Package
	add(t, tr, p)
	for _, text := range []string{"", "{", `{"schema": 7}`} {
		write(t, tr.retirementPath(p), text)
		s, err := tr.Scan(t.Context())
		must(t, err)
		if len(s.Packages) != 1 || s.Packages[0].Retired != nil {
			t.Errorf("with %q Scan() = %+v; want it not retired", text, s.Packages)
		}
		if len(s.Problems) != 1 || !strings.HasSuffix(s.Problems[0].Path, retiredFile) {
			t.Errorf("with %q problems = %v; want one", text, s.Problems)
		}
	}
	must(t, tr.Retire(p, Retirement{}))
	if retired(t, tr, p) == nil {
		t.Error("cannot be retired over a damaged mark")
	}
}
