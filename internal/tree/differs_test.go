package tree

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

func zipped(t testing.TB, text string, level int) string {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	must(t, err)
	_, err = w.Write([]byte(text))
	must(t, errors.Join(err, w.Close()))
	return b.String()
}

const (
	differs = " (Differences between built and installed modules)"
	missing = " (Built modules are missing in the kernel modules folder)"
)

// compareCases are situations in which dkms 3.2.2 was watched; want is what it
// printed after "pa/1.0, RELEASE, ARCH: ". Each starts from pa/1.0 installed
// with alpha.ko and beta.ko in updates/dkms. u is that directory, m the
// module directory of the tree, k the kernel's.
var compareCases = []struct {
	name   string
	change func(t *testing.T, u, m, k string)
	want   string
}{
	{"nothing", func(*testing.T, string, string, string) {}, "installed"},
	{"alpha gone", func(t *testing.T, u, m, k string) { remove(t, u+"/alpha.ko") }, "installed" + differs},
	{"both gone", func(t *testing.T, u, m, k string) { remove(t, u) }, "installed" + differs},
	{"alpha altered", func(t *testing.T, u, m, k string) { write(t, u+"/alpha.ko", "altered") }, "installed" + differs},
	{"alpha altered, beta gone", func(t *testing.T, u, m, k string) { write(t, u+"/alpha.ko", "a"); remove(t, u+"/beta.ko") }, "installed" + differs},
	{"alpha touched", func(t *testing.T, u, m, k string) { must(t, os.Chtimes(u+"/alpha.ko", time.Now(), time.Now())) }, "installed"},
	{"alpha moved to kernel/", func(t *testing.T, u, m, k string) { must(t, os.Rename(u+"/alpha.ko", k+"/kernel/alpha.ko")) }, "installed" + differs},
	{"another alpha in kernel/", func(t *testing.T, u, m, k string) { write(t, k+"/kernel/alpha.ko", "other") }, "installed"},
	{"another alpha in extra/", func(t *testing.T, u, m, k string) { write(t, k+"/extra/alpha.ko", "other") }, "installed"},
	{"alpha.ko.gz beside", func(t *testing.T, u, m, k string) { write(t, u+"/alpha.ko.gz", zipped(t, read(t, u+"/alpha.ko"), 9)) }, "installed"},
	{"only alpha.ko.gz installed", func(t *testing.T, u, m, k string) {
		write(t, u+"/alpha.ko.gz", zipped(t, read(t, u+"/alpha.ko"), 9))
		remove(t, u+"/alpha.ko")
	}, "installed" + differs},
	{"both in the tree, .gz installed", func(t *testing.T, u, m, k string) {
		write(t, m+"/alpha.ko.gz", zipped(t, read(t, m+"/alpha.ko"), 9))
		write(t, u+"/alpha.ko.gz", read(t, m+"/alpha.ko.gz"))
		remove(t, u+"/alpha.ko")
	}, "installed" + differs},
	{".gz in both", func(t *testing.T, u, m, k string) {
		write(t, m+"/alpha.ko.gz", zipped(t, read(t, m+"/alpha.ko"), 9))
		write(t, u+"/alpha.ko.gz", read(t, m+"/alpha.ko.gz"))
		remove(t, u+"/alpha.ko")
		remove(t, m+"/alpha.ko")
	}, "installed"},
	{".gz in both, compressed differently", func(t *testing.T, u, m, k string) {
		text := strings.Repeat("some text to compress ", 99)
		write(t, m+"/alpha.ko.gz", zipped(t, text, 9))
		write(t, u+"/alpha.ko.gz", zipped(t, text, 1))
		remove(t, u+"/alpha.ko")
		remove(t, m+"/alpha.ko")
	}, "installed" + differs},
	{".gz in the tree, .ko installed", func(t *testing.T, u, m, k string) {
		write(t, m+"/alpha.ko.gz", zipped(t, read(t, m+"/alpha.ko"), 9))
		remove(t, m+"/alpha.ko")
	}, "installed" + missing},
	{".gz in both, but .xz in the kernel", func(t *testing.T, u, m, k string) {
		for _, f := range []string{"alpha.ko", "beta.ko"} {
			write(t, m+"/"+f+".gz", zipped(t, read(t, m+"/"+f), 9))
			write(t, u+"/"+f+".gz", read(t, m+"/"+f+".gz"))
			remove(t, u+"/"+f)
			remove(t, m+"/"+f)
		}
		write(t, k+"/kernel/drivers/other.ko.xz", "")
	}, "installed" + missing},
	{"link into the tree", func(t *testing.T, u, m, k string) {
		remove(t, u+"/alpha.ko")
		symlink(t, m+"/alpha.ko", u+"/alpha.ko")
	}, "installed"},
	{"dangling link", func(t *testing.T, u, m, k string) {
		remove(t, u+"/alpha.ko")
		symlink(t, "/nowhere/alpha.ko", u+"/alpha.ko")
	}, "installed" + differs},
	{"a directory", func(t *testing.T, u, m, k string) { remove(t, u+"/alpha.ko"); must(t, os.Mkdir(u+"/alpha.ko", 0o755)) }, "installed" + differs},
	{"renamed", func(t *testing.T, u, m, k string) { must(t, os.Rename(u+"/alpha.ko", u+"/alpha_x.ko")) }, "installed" + differs},
	{"more in the tree", func(t *testing.T, u, m, k string) {
		write(t, m+"/Module.symvers", "x")
		write(t, m+"/more.ko", "x")
	}, "installed"},
	{"alpha not in the tree", func(t *testing.T, u, m, k string) { remove(t, m+"/alpha.ko") }, "installed" + missing},
	{"nothing in the tree", func(t *testing.T, u, m, k string) { remove(t, m+"/alpha.ko"); remove(t, m+"/beta.ko") }, "installed" + missing},
	{"alpha not in the tree, beta altered", func(t *testing.T, u, m, k string) { remove(t, m+"/alpha.ko"); write(t, u+"/beta.ko", "x") }, "installed" + missing},
	{"beta not in the tree, alpha altered", func(t *testing.T, u, m, k string) { remove(t, m+"/beta.ko"); write(t, u+"/alpha.ko", "x") }, "installed" + differs},
	{"not active", func(t *testing.T, u, m, k string) {
		remove(t, filepath.Join(m, "../../../../kernel-"+release+"-"+arch))
	}, "built"},
	{"not active, all altered", func(t *testing.T, u, m, k string) {
		remove(t, filepath.Join(m, "../../../../kernel-"+release+"-"+arch))
		remove(t, u)
	}, "built"},
	{"not active, none in the tree", func(t *testing.T, u, m, k string) {
		remove(t, filepath.Join(m, "../../../../kernel-"+release+"-"+arch))
		remove(t, m)
		must(t, os.Mkdir(m, 0o755))
	}, "built" + missing},
	{"originals and altered", func(t *testing.T, u, m, k string) {
		must(t, os.MkdirAll(filepath.Join(m, "../../../../original_module", release, arch), 0o755))
		write(t, u+"/alpha.ko", "x")
	}, "installed (Original modules exist)" + differs},
	{"originals and missing", func(t *testing.T, u, m, k string) {
		must(t, os.MkdirAll(filepath.Join(m, "../../../../original_module", release, arch), 0o755))
		remove(t, m+"/alpha.ko")
	}, "installed (Original modules exist)" + missing},
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, manifest := range []bool{true, false} {
		for _, tt := range compareCases {
			t.Run(fmt.Sprintf("manifest %v/%s", manifest, tt.name), func(t *testing.T) {
				t.Parallel()
				tr := newTree(t)
				r := ref("pa", "1.0")
				install(t, tr, r, "alpha.ko", "beta.ko")
				o := CompareOptions{}
				if !manifest {
					asDKMS(t, tr, r)
					o.Promised = func(dkms.Ref) ([]Module, error) {
						return []Module{{"alpha", "/updates/dkms"}, {"beta", "/updates/dkms"}}, nil
					}
				}
				tt.change(t, inUpdates(tr, ""), tr.ModuleDir(r), tr.KernelDir(release))
				want := []string{"pa/1.0, " + release + ", x86_64: " + tt.want}
				if d := cmp.Diff(want, statuses(t, tr, o)); d != "" {
					t.Errorf("status (-dkms +ours):\n%s", d)
				}
			})
		}
	}
}

// TestCompareForged alters an installed module and gives it back its size and
// modification time.
func TestCompareForged(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	install(t, tr, r, "alpha.ko")
	path := inUpdates(tr, "alpha.ko")
	info, err := os.Stat(path)
	must(t, err)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt([]byte("X"), 0)
	must(t, errors.Join(err, f.Close(), os.Chtimes(path, info.ModTime(), info.ModTime())))
	now, err := os.Stat(path)
	must(t, err)
	if now.Size() != info.Size() || !now.ModTime().Equal(info.ModTime()) {
		t.Fatal("the forgery is visible")
	}
	if got := statuses(t, tr, CompareOptions{})[0]; !strings.HasSuffix(got, differs) {
		t.Errorf("status = %q; want it to end in %q", got, differs)
	}
}

// TestCompareReadsNothing proves the shortcut: contents that could not even be
// compared are not looked at while the stamps hold.
func TestCompareReadsNothing(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	install(t, tr, r, "alpha.ko")
	m, err := tr.Manifest(r)
	must(t, err)
	f := m.Installed[0]
	if !unread(f.Path, f.Here) || !unread(filepath.Join(tr.ModuleDir(r), f.File), f.Tree) {
		t.Errorf("stamps do not hold right after Install: %+v", f)
	}
	write(t, f.Path, "pa 1.0 alpha.ko") // the same content
	if unread(f.Path, f.Here) {
		t.Error("stamp holds after a write")
	}
}

// TestCompareAgain: what was found before counts no more.
func TestCompareAgain(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	install(t, tr, r, "alpha.ko")
	s, err := tr.Scan(t.Context())
	must(t, err)
	path := inUpdates(tr, "alpha.ko")
	must(t, os.Rename(path, path+".away"))
	must(t, tr.Compare(t.Context(), &s, CompareOptions{}))
	if got := s.Ref(r); !got.Differs || !got.Lacking || !got.Gone {
		t.Errorf("Compare without the file = %+v", got)
	}
	must(t, os.Rename(path+".away", path))
	must(t, tr.Compare(t.Context(), &s, CompareOptions{}))
	if got := s.Ref(r); got.Differs || got.Lacking || got.Gone || got.Missing {
		t.Errorf("Compare with the file = %+v", got)
	}
}

// TestComparePromise: a dkms.conf that was edited after the build may promise
// something else.
func TestComparePromise(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	install(t, tr, r, "alpha.ko")
	asked := 0
	o := CompareOptions{Promised: func(dkms.Ref) ([]Module, error) {
		asked++
		return []Module{{"alpha", "/updates/dkms"}, {"gamma", "/updates/dkms"}}, nil
	}}
	if got := statuses(t, tr, o); asked != 0 || strings.Contains(got[0], "(") {
		t.Errorf("status = %q after %d questions; want plain, none", got, asked)
	}
	conf := filepath.Join(tr.Source(r.Package), "dkms.conf")
	write(t, conf, "something else")
	if got := statuses(t, tr, o); asked != 1 || !strings.HasSuffix(got[0], missing) {
		t.Errorf("status = %q after %d questions; want %q, 1", got, asked, missing)
	}
	o.Promised = func(dkms.Ref) ([]Module, error) { return nil, errors.New("invalid") }
	if got := statuses(t, tr, o); strings.Contains(got[0], "(") {
		t.Errorf("status with an invalid dkms.conf = %q; want plain", got)
	}
}

// TestCompareAnywhere: without a manifest, a promise or a place, a module is
// looked for by its name.
func TestCompareAnywhere(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	install(t, tr, r, "al-pha.ko")
	asDKMS(t, tr, r)
	must(t, os.Rename(inUpdates(tr, "al-pha.ko"), filepath.Join(tr.KernelDir(release), "kernel/al_pha.ko")))
	if got := statuses(t, tr, CompareOptions{}); strings.Contains(got[0], "(") {
		t.Errorf("status = %q; want plain", got)
	}
	if got := statuses(t, tr, CompareOptions{Dirs: []string{"/updates/dkms"}}); !strings.HasSuffix(got[0], differs) {
		t.Errorf("status = %q; want %q", got, differs)
	}
}

func BenchmarkStatus(b *testing.B) {
	tr := newTree(b)
	for i := range 200 {
		p := dkms.Package{Name: fmt.Sprintf("pack%03d", i), Version: "1.0"}
		for j := range 5 {
			r := dkms.Ref{Package: p, KernelID: dkms.KernelID{Release: fmt.Sprintf("6.1.0-%d-amd64", j), Arch: arch}}
			build(b, tr, r, p.Name+".ko")
			to := filepath.Join(tr.KernelDir(r.Release), "updates/dkms", p.Name+".ko")
			must(b, os.MkdirAll(tr.KernelDir(r.Release), 0o755))
			tx, err := tr.Install(r, []Placement{{From: p.Name + ".ko", To: to}}, InstallOptions{})
			must(b, err)
			must(b, tx.Commit())
		}
	}
	b.ResetTimer()
	for b.Loop() {
		statuses(b, tr, CompareOptions{})
	}
}

// TestCompareEarlierBuild: while what an earlier build has installed is whole, it
// serves; with one file of it gone, it does not.
func TestCompareEarlierBuild(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	r := ref("pa", "1.0")
	install(t, tr, r, "alpha.ko", "beta.ko")
	write(t, filepath.Join(tr.ModuleDir(r), "alpha.ko"), "a later build")
	s, err := tr.Scan(t.Context())
	must(t, err)
	must(t, tr.Compare(t.Context(), &s, CompareOptions{}))
	if got := s.Ref(r); !got.Differs || !got.Lacking || got.Gone {
		t.Errorf("Compare with what an earlier build has installed = %+v; want it lacking, and nothing gone", got)
	}
	must(t, os.Remove(inUpdates(tr, "beta.ko")))
	must(t, tr.Compare(t.Context(), &s, CompareOptions{}))
	if got := s.Ref(r); !got.Lacking || !got.Gone {
		t.Errorf("Compare without one of its files = %+v; want it gone", got)
	}
	must(t, tr.Compare(t.Context(), &s, CompareOptions{Brief: true}))
	if got := s.Ref(r); !got.Differs || got.Lacking || got.Gone {
		t.Errorf("Compare in brief = %+v; want only that it differs", got)
	}
}
