package tree

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

// examined lists findings as "path: problem", with "+" before those that are
// safe, paths below the three directories' parent.
func examined(t *testing.T, tr Tree) (lines []string, findings []Finding) {
	t.Helper()
	before := treetest.Snapshot(t, filepath.Dir(tr.Dir))
	findings, err := tr.Examine(t.Context())
	must(t, err)
	same(t, before, treetest.Snapshot(t, filepath.Dir(tr.Dir)))
	for _, f := range findings {
		if f.Problem == "" || f.Remedy == "" || strings.HasSuffix(f.Remedy, ".") {
			t.Errorf("finding %+v; want a problem and a remedy", f)
		}
		line := strings.ReplaceAll(f.Path+": "+f.Problem, filepath.Dir(tr.Dir)+"/", "")
		if f.Safe {
			line = "+" + line
		}
		lines = append(lines, line)
	}
	return lines, findings
}

// mend fixes what is safe and wants each to say what it did, except for those
// that an earlier one mended.
func mend(t *testing.T, tr Tree, findings []Finding) (did []string) {
	t.Helper()
	for _, f := range findings {
		text, err := f.Fix()
		if !f.Safe {
			wantError(t, err, dkms.Unknown, f.Problem)
			continue
		}
		if err != nil {
			t.Errorf("Fix() of %s = %v", f.Path, err)
		}
		if text != "" {
			did = append(did, strings.ReplaceAll(text, filepath.Dir(tr.Dir)+"/", ""))
		}
		if text, err := f.Fix(); text != "" || err != nil {
			t.Errorf("Fix() of %s once more = %q, %v; want nothing done", f.Path, text, err)
		}
	}
	return did
}

const gone = "5.10.0-1-amd64" // a kernel that there is not

var goneRef = dkms.Ref{Package: dkms.Package{Name: "pa", Version: "1.0"}, KernelID: dkms.KernelID{Release: gone, Arch: arch}}

type examineCase struct {
	name  string
	setUp func(t *testing.T, tr Tree)
	want  []string
	did   []string // what Fix says
	left  []string // findings after that; nil: those of want that are not safe
	check func(t *testing.T, tr Tree)
}

func examineCases() []examineCase {
	return append(append(packageCases(), sourceCases()...), kernelCases()...)
}

func TestExamine(t *testing.T) {
	t.Parallel()
	for _, tt := range examineCases() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTree(t)
			tt.setUp(t, tr)
			lines, findings := examined(t, tr)
			if d := cmp.Diff(tt.want, lines); d != "" {
				t.Fatalf("Examine() (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.did, mend(t, tr, findings)); d != "" {
				t.Errorf("Fix() said (-want +got):\n%s", d)
			}
			left, _ := examined(t, tr)
			want := tt.left
			for _, line := range tt.want {
				if tt.left == nil && !strings.HasPrefix(line, "+") {
					want = append(want, line)
				}
			}
			if len(want)+len(left) > 0 {
				if d := cmp.Diff(want, left); d != "" {
					t.Errorf("Examine() after Fix() (-want +got):\n%s", d)
				}
			}
			if tt.check != nil {
				tt.check(t, tr)
			}
		})
	}
}

// TestExamineHealthy: nothing that we, dkms or a person do in the ordinary way
// is a finding.
func TestExamineHealthy(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	one, two, links := ref("pa", "1.0"), ref("pa", "2.0"), ref("pb", "1.0")
	write(t, filepath.Join(tr.KernelDir(release), "kernel/drivers/misc/alpha.ko"), "original")
	for _, key := range []string{"mok.key", "mok.pub"} {
		write(t, filepath.Join(tr.Dir, key), "")
	}
	install(t, tr, one, "alpha.ko")
	install(t, tr, two, "alpha.ko", "beta.ko")
	build(t, tr, links, "gamma.ko")
	must(t, commit(tr.Install(links, places(tr, links, "gamma.ko"), InstallOptions{Symlink: true})))
	must(t, tr.DepmodDone(release))
	adopted := ref("pc", "1.0")
	install(t, tr, adopted, "delta.ko")
	remove(t, tr.manifestPath(adopted)) // dkms built it
	failed(t, tr, ref("pa", "2.0"))
	must(t, tr.KeepFailed(one, "/nowhere", tr.LogPath(two)))
	must(t, tr.AddRun(time.Now(), nil))
	d := tr.Digests()
	d.Keep("a", "b", "c")
	must(t, d.Save())
	lock, err := tr.Lock(t.Context(), nil)
	must(t, err)
	must(t, lock.Unlock())
	_, err = tr.Pack(t.Context(), PackRequest{Package: two.Package, Kernels: []dkms.KernelID{kernel}})
	must(t, err)
	if lines, _ := examined(t, tr); len(lines) != 0 {
		t.Errorf("Examine() = %q; want nothing", lines)
	}
	if lines, _ := examined(t, Tree{Dir: "/nowhere/a", SourceDir: "/nowhere/b", InstallDir: "/nowhere/c"}); len(lines) != 0 {
		t.Errorf("Examine() of nothing = %q; want nothing", lines)
	}
}

// TestExamineOthers: what Scan has passed over is told once.
func TestExamineOthers(t *testing.T) {
	t.Parallel()
	x := examiner{explained: map[string]bool{"/t/pa/1.0": true}, findings: []Finding{{Path: "/t/pb"}}}
	x.snapshot.Problems = []Problem{
		{Path: "/t/pa/1.0", Text: "explained"}, {Path: "/t/pb", Text: "found"}, {Path: "/t/pb/1.0/x", Text: "in what was found"},
		{Path: "/t/pc", Text: "cannot be read", Err: &fs.PathError{Op: "open", Path: "/t/pc", Err: syscall.EIO}},
	}
	x.others()
	if len(x.findings) != 2 || x.findings[1].Path != "/t/pc" || x.findings[1].Problem != "cannot be read: input/output error" || x.findings[1].Safe {
		t.Errorf("findings = %+v; want one about /t/pc", x.findings)
	}
}

func TestExamineErrors(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	add(t, tr, ref("pa", "1.0").Package)
	if _, err := tr.Examine(ctx); err == nil {
		t.Error("Examine() after the end of its context succeeded")
	}
	tr.Dir = filepath.Join(tr.Source(ref("pa", "1.0").Package), "dkms.conf")
	if _, err := tr.Examine(t.Context()); err == nil {
		t.Error("Examine() of a file as the tree succeeded")
	}
}

// TestFixFails: an error says what could not be mended, and nothing is claimed.
func TestFixFails(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	add(t, tr, ref("pa", "1.0").Package)
	remove(t, tr.Source(ref("pa", "1.0").Package))
	tr.step = func(name string) error {
		if name == "unregister" {
			return fmt.Errorf("no %s today", name)
		}
		return nil
	}
	findings, err := tr.Examine(t.Context())
	must(t, err)
	if len(findings) != 1 {
		t.Fatalf("Examine() = %+v; want one finding", findings)
	}
	did, err := findings[0].Fix()
	wantError(t, err, dkms.Unknown, "pa/1.0: cannot be removed: no unregister today")
	if did != "" {
		t.Errorf("Fix() failed and says %q", did)
	}
}
