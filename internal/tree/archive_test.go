package tree

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

// identify reads the two directives the way the tests write them.
func identify(conf string, _ dkms.Package) (dkms.Package, error) {
	data, err := os.ReadFile(conf)
	if err != nil {
		return dkms.Package{}, err
	}
	var p dkms.Package
	for _, line := range strings.Split(string(data), "\n") {
		if v, ok := strings.CutPrefix(line, "PACKAGE_NAME="); ok {
			p.Name = v
		}
		if v, ok := strings.CutPrefix(line, "PACKAGE_VERSION="); ok {
			p.Version = v
		}
	}
	if p.Name == "" {
		return p, &dkms.Error{Kind: dkms.ConfInvalid, Object: conf, Problem: "PACKAGE_NAME is missing"}
	}
	return p, nil
}

func load(t testing.TB, tr Tree, archive string) (Loaded, error) {
	t.Helper()
	return tr.Load(t.Context(), LoadRequest{Archive: archive, Identify: identify})
}

// packed returns a tree with pa/1.0 built for two kernels.
func packed(t testing.TB) (Tree, PackRequest) {
	t.Helper()
	tr := newTree(t)
	r := ref("pa", "1.0")
	other := r
	other.Release = "other"
	build(t, tr, r, "alpha.ko", "beta.ko")
	build(t, tr, other, "alpha.ko")
	source := tr.Source(r.Package)
	must(t, os.Chmod(source+"/Makefile", 0o755))
	symlink(t, "Makefile", source+"/GNUmakefile")
	write(t, tr.RefDir(r)+"/.dep_other", "")
	write(t, tr.RefDir(r)+"/.ours", "")
	return tr, PackRequest{Package: r.Package, Kernels: []dkms.KernelID{other.KernelID, r.KernelID}}
}

// contents lists an archive: name -> type, mode and what is in it.
func contents(t testing.TB, archive string) map[string]string {
	t.Helper()
	f, err := os.Open(archive)
	must(t, err)
	defer f.Close()
	plain, err := decompress(f)
	must(t, err)
	out := map[string]string{}
	for r := tar.NewReader(plain); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		must(t, err)
		data, err := io.ReadAll(r)
		must(t, err)
		out[h.Name] = strings.TrimSpace(fmt.Sprintf("%c %o %s%s", h.Typeflag, h.Mode, h.Linkname, data))
	}
}

func TestPackLoad(t *testing.T) {
	t.Parallel()
	from, req := packed(t)
	for _, variant := range []PackRequest{{}, {SourceOnly: true}, {BinariesOnly: true}} {
		variant.Package, variant.Kernels = req.Package, req.Kernels
		file, err := from.Pack(t.Context(), variant)
		must(t, err)
		if want := filepath.Join(from.TarballDir(req.Package), variant.ArchiveName()); file != want {
			t.Errorf("Pack() = %q; want %q", file, want)
		}
		to := newTree(t)
		loaded, err := load(t, to, file)
		must(t, err)
		if loaded.Package != req.Package || loaded.Source != to.Source(req.Package) {
			t.Errorf("Load() = %+v; want %s at %s", loaded, req.Package, to.Source(req.Package))
		}
		want := []string{"pa/1.0, " + release + ", x86_64: built", "pa/1.0, other, x86_64: built"}
		if variant.SourceOnly {
			want = []string{"pa/1.0: added"}
		}
		if d := cmp.Diff(want, statuses(t, to, CompareOptions{})); d != "" {
			t.Errorf("%+v: status (-want +got):\n%s", variant, d)
		}
		if !variant.BinariesOnly {
			if d := treetest.Diff(below2(t, from.Source(req.Package)), below2(t, to.Source(req.Package))); d != "" {
				t.Errorf("source differs:\n%s", d)
			}
		} else if names, _ := filepath.Glob(to.Source(req.Package) + "/*"); len(names) != 1 {
			t.Errorf("source of binaries holds %q; want the dkms.conf", names)
		}
		if !variant.SourceOnly {
			if got := read(t, to.ModuleDir(ref("pa", "1.0"))+"/beta.ko"); got != "pa 1.0 beta.ko" {
				t.Errorf("loaded module = %q", got)
			}
			if !system.Exists(to.RefDir(ref("pa", "1.0")) + "/.dep_other") {
				t.Error(".dep_other is lost")
			}
			if system.Exists(to.RefDir(ref("pa", "1.0")) + "/.ours") {
				t.Error("a dot-file of ours was packed")
			}
		}
		noRemnants(t, to)
	}
}

func below2(t testing.TB, dir string) map[string]string {
	out := map[string]string{}
	for path, what := range treetest.Snapshot(t, dir) {
		out[strings.TrimPrefix(path, dir)] = what
	}
	return out
}

// TestPackReproducible packs the same twice, the second time touched and from a
// tree elsewhere.
func TestPackReproducible(t *testing.T) {
	t.Parallel()
	when := time.Unix(1700000000, 0)
	var sums []string
	for range 2 {
		tr, req := packed(t)
		for path := range treetest.Snapshot(t, tr.Source(req.Package)) {
			if !strings.HasSuffix(path, "GNUmakefile") {
				must(t, os.Chtimes(path, when, when))
			}
		}
		file, err := tr.Pack(t.Context(), req)
		must(t, err)
		sum, err := system.Hash(file)
		must(t, err)
		sums = append(sums, sum)
	}
	if sums[0] != sums[1] {
		t.Errorf("archives differ: %q", sums)
	}
}

// TestPackNamesPackage: it87's dkms.conf says "to be filled by make dkms", and
// it is added as eol all the same.
func TestPackNamesPackage(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	p := dkms.Package{Name: "it87", Version: "eol"}
	write(t, tr.Source(p)+"/dkms.conf", "PACKAGE_NAME=it87\nPACKAGE_VERSION=to be filled by make dkms\n")
	must(t, tr.Register(p, tr.Source(p)))
	file, err := tr.Pack(t.Context(), PackRequest{Package: p, SourceOnly: true})
	must(t, err)
	to := newTree(t)
	if loaded, err := load(t, to, file); err != nil || loaded.Package != p {
		t.Errorf("Load() = %v, %v; want %s", loaded.Package, err, p)
	}
	other := newTree(t)
	loaded, err := other.Load(t.Context(), LoadRequest{Archive: file, Identify: identify, Package: dkms.Package{Version: "mine"}})
	if want := (dkms.Package{Name: "it87", Version: "mine"}); err != nil || loaded.Package != want {
		t.Errorf("Load(-v mine) = %v, %v; want %s", loaded.Package, err, want)
	}
}

// TestLoadInterrupted: nothing is left of an archive that a signal kept from being
// loaded, and it is not the archive's fault.
func TestLoadInterrupted(t *testing.T) {
	t.Parallel()
	tr, req := packed(t)
	file, err := tr.Pack(t.Context(), req)
	must(t, err)
	to := newTree(t)
	before := look(t, to)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = to.Load(ctx, LoadRequest{Archive: file, Identify: identify})
	wantError(t, err, dkms.Interrupted, "was interrupted")
	same(t, before, look(t, to))
}

func TestPackLinks(t *testing.T) {
	t.Parallel()
	tr, req := packed(t)
	outside := filepath.Join(t.TempDir(), "install-sh")
	write(t, outside, "a script")
	symlink(t, outside, tr.Source(req.Package)+"/install-sh")
	req.SourceOnly = true
	file, err := tr.Pack(t.Context(), req)
	must(t, err)
	got := contents(t, file)
	if want := "0 644 a script"; got["./dkms_source_tree/install-sh"] != want {
		t.Errorf("link out of the source packed as %q; want %q", got["./dkms_source_tree/install-sh"], want)
	}
	if want := "2 777 Makefile"; got["./dkms_source_tree/GNUmakefile"] != want {
		t.Errorf("link within the source packed as %q; want %q", got["./dkms_source_tree/GNUmakefile"], want)
	}
	remove(t, file)
	remove(t, tr.Source(req.Package)+"/install-sh")
	symlink(t, "/etc", tr.Source(req.Package)+"/etc")
	before := look(t, tr)
	_, err = tr.Pack(t.Context(), req)
	wantError(t, err, dkms.Unknown, "out of the source")
	same(t, before, look(t, tr))
}

func TestPackRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(tr Tree, r *PackRequest)
		kind   dkms.Kind
		text   string
	}{
		{"not built", func(_ Tree, r *PackRequest) { r.Kernels = []dkms.KernelID{{Release: "none", Arch: arch}} }, dkms.NothingInstalled, "is not built"},
		{"no kernel", func(_ Tree, r *PackRequest) { r.Kernels = nil }, dkms.NothingInstalled, "not built for any"},
		{"not added", func(_ Tree, r *PackRequest) { r.Package.Name = "pb" }, dkms.NotInTree, "not in the tree"},
		{"both", func(_ Tree, r *PackRequest) { r.SourceOnly, r.BinariesOnly = true, true }, dkms.ConfInvalid, "cannot go with"},
		{"nowhere", func(_ Tree, r *PackRequest) { r.File = "/nowhere/x.tar.gz" }, dkms.DestNotWritable, "cannot be written"},
		{"broken", func(tr Tree, r *PackRequest) { os.RemoveAll(tr.Source(r.Package)) }, dkms.ConfMissing, "is broken"},
		{"unsafe", func(_ Tree, r *PackRequest) { r.Package.Version = "../x" }, dkms.Incomplete, "would leave"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr, req := packed(t)
			tt.change(tr, &req)
			before := look(t, tr)
			_, err := tr.Pack(t.Context(), req)
			wantError(t, err, tt.kind, tt.text)
			same(t, before, look(t, tr))
		})
	}
}

func TestArchiveName(t *testing.T) {
	t.Parallel()
	many := make([]dkms.KernelID, 9)
	for i := range many {
		many[i] = dkms.KernelID{Release: fmt.Sprintf("k%d-2345678", i), Arch: "x86_64"}
	}
	p := dkms.Package{Name: "pa", Version: "1.0"}
	for _, tt := range []struct {
		r    PackRequest
		want string
	}{
		{PackRequest{Package: p, Kernels: many[:1]}, "pa-1.0-kernelk0-2345678-x86_64.dkms.tar.gz"},
		{PackRequest{Package: p, Kernels: many}, "pa-1.0-manykernels.dkms.tar.gz"},
		{PackRequest{Package: p, Kernels: many, SourceOnly: true}, "pa-1.0-source-only.dkms.tar.gz"},
	} {
		if got := tt.r.ArchiveName(); got != tt.want {
			t.Errorf("ArchiveName() = %q; want %q", got, tt.want)
		}
	}
	if got := (PackRequest{Package: p, Kernels: many[:8]}).ArchiveName(); strings.Contains(got, "many") {
		t.Errorf("ArchiveName() of 8 kernels = %q; dkms still lists them", got)
	}
}

// TestLoadStock loads what dkms 3.2.2 packed.
func TestLoadStock(t *testing.T) {
	t.Parallel()
	full := []string{"pa/1.0, 6.1.0-56-amd64, x86_64: built", "pa/1.0, other, x86_64: built"}
	for file, want := range map[string][]string{
		"stock-full.dkms.tar.gz":     full,
		"stock-binaries.dkms.tar.gz": full[:1],
		"stock-source.dkms.tar.gz":   {"pa/1.0: added"},
	} {
		tr := newTree(t)
		_, err := load(t, tr, filepath.Join("testdata", file))
		must(t, err)
		if d := cmp.Diff(want, statuses(t, tr, CompareOptions{})); d != "" {
			t.Errorf("%s: status (-want +got):\n%s", file, d)
		}
	}
}

// TestPackAsStock: the same entries as dkms 3.2.2 packs, and one of ours.
func TestPackAsStock(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	loaded, err := load(t, tr, "testdata/stock-full.dkms.tar.gz")
	must(t, err)
	req := PackRequest{Package: loaded.Package}
	for _, r := range loaded.Refs {
		req.Kernels = append(req.Kernels, r.KernelID)
	}
	file, err := tr.Pack(t.Context(), req)
	must(t, err)
	got, want := contents(t, file), contents(t, "testdata/stock-full.dkms.tar.gz")
	delete(got, "./dkms_main_tree/.package")
	delete(got, "./") // theirs is a temporary directory, which is private
	delete(want, "./")
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("entries (-dkms +ours):\n%s", d)
	}
}

// entry is one entry of a hand-made archive.
type entry struct {
	name, text string
	kind       byte
	link       string
	size       int64 // when it is a lie
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Size: int64(len(e.text)), Mode: 0o644}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if e.size != 0 {
			h.Size = e.size
		}
		must(t, w.WriteHeader(h))
		_, err := io.WriteString(w, e.text)
		must(t, err)
	}
	if err := w.Close(); err != nil && entries[len(entries)-1].size == 0 {
		t.Fatal(err)
	}
	return b.Bytes()
}

const goodConf = "PACKAGE_NAME=pa\nPACKAGE_VERSION=1.0\n"

var good = []entry{{name: "dkms_source_tree/dkms.conf", text: goodConf}, {name: "dkms_source_tree/Makefile", text: "all:\n"},
	{name: "dkms_main_tree/k/x86_64/module/alpha.ko", text: "alpha"}}

func gzipped(t testing.TB, data []byte) []byte { return []byte(zipped(t, string(data), 1)) }

func TestLoadCompressions(t *testing.T) {
	t.Parallel()
	plain := archive(t, good...)
	var x, z bytes.Buffer
	xw, err := xz.NewWriter(&x)
	must(t, err)
	_, err = xw.Write(plain)
	must(t, errors.Join(err, xw.Close()))
	zw, err := zstd.NewWriter(&z)
	must(t, err)
	_, err = zw.Write(plain)
	must(t, errors.Join(err, zw.Close()))
	for name, data := range map[string][]byte{"a.tar": plain, "a.tar.gz": gzipped(t, plain), "a.tar.xz": x.Bytes(), "a.tar.zst": z.Bytes(), "a.odd-name": gzipped(t, plain)} {
		tr := newTree(t)
		file := filepath.Join(t.TempDir(), name)
		write(t, file, string(data))
		if _, err := load(t, tr, file); err != nil {
			t.Errorf("Load(%s) = %v", name, err)
		}
	}
}

func TestLoadHostile(t *testing.T) {
	t.Parallel()
	with := func(more ...entry) func(testing.TB) []byte {
		return func(t testing.TB) []byte {
			return gzipped(t, archive(t, append(append([]entry{}, good...), more...)...))
		}
	}
	conf := func(text string) func(testing.TB) []byte {
		return func(t testing.TB) []byte { return archive(t, entry{name: "dkms_source_tree/dkms.conf", text: text}) }
	}
	only := func(e ...entry) func(testing.TB) []byte {
		return func(t testing.TB) []byte { return archive(t, e...) }
	}
	cut := func(n int) func(testing.TB) []byte {
		return func(t testing.TB) []byte {
			noise := make([]byte, 4096)
			_, _ = rand.Read(noise)
			data := gzipped(t, archive(t, append(append([]entry{}, good...), entry{name: "dkms_source_tree/x", text: string(noise)})...))
			return data[:len(data)-n]
		}
	}
	tests := []struct {
		name string
		data func(testing.TB) []byte
		kind dkms.Kind
		text string
	}{
		{"absolute path", with(entry{name: "/etc/cron.d/x", text: "x"}), dkms.ArchiveInvalid, "is absolute"},
		{"dots", with(entry{name: "dkms_source_tree/../../../etc/x", text: "x"}), dkms.ArchiveInvalid, "would leave"},
		{"dots at the end", with(entry{name: "dkms_source_tree/..", kind: tar.TypeDir}), dkms.ArchiveInvalid, "would leave"},
		{"absolute link", with(entry{name: "dkms_source_tree/l", kind: tar.TypeSymlink, link: "/etc/passwd"}), dkms.ArchiveInvalid, "out of the archive"},
		{"link out", with(entry{name: "dkms_source_tree/l", kind: tar.TypeSymlink, link: "../../x"}), dkms.ArchiveInvalid, "out of dkms_source_tree"},
		{"link beside", with(entry{name: "dkms_source_tree/l", kind: tar.TypeSymlink, link: "../dkms_main_tree"}), dkms.ArchiveInvalid, "out of dkms_source_tree"},
		{"file through a link", with(entry{name: "dkms_source_tree/l", kind: tar.TypeSymlink, link: "sub/../.."}, entry{name: "dkms_source_tree/l/x", text: "x"}), dkms.ArchiveInvalid, "out of"},
		{"top link", with(entry{name: "l", kind: tar.TypeSymlink, link: ".."}), dkms.ArchiveInvalid, "out of"},
		{"hard link", with(entry{name: "dkms_source_tree/h", kind: tar.TypeLink, link: "dkms_source_tree/Makefile"}), dkms.ArchiveInvalid, "neither file"},
		{"hard link out", with(entry{name: "dkms_source_tree/h", kind: tar.TypeLink, link: "/etc/passwd"}), dkms.ArchiveInvalid, "neither file"},
		{"device", with(entry{name: "dkms_source_tree/null", kind: tar.TypeChar}), dkms.ArchiveInvalid, "neither file"},
		{"pipe", with(entry{name: "dkms_source_tree/p", kind: tar.TypeFifo}), dkms.ArchiveInvalid, "neither file"},
		{"control characters", with(entry{name: "dkms_source_tree/a\x1b[2Jb", text: "x"}), dkms.ArchiveInvalid, "control characters"},
		{"newline", with(entry{name: "dkms_source_tree/a\nb", text: "x"}), dkms.ArchiveInvalid, "control characters"},
		{"link to control characters", with(entry{name: "dkms_source_tree/l", kind: tar.TypeSymlink, link: "a\rb"}), dkms.ArchiveInvalid, "control characters"},
		{"deep", with(entry{name: "dkms_source_tree/" + strings.Repeat("d/", 100) + "x", text: "x"}), dkms.ArchiveInvalid, "too deep"},
		{"file over a directory", with(entry{name: "dkms_source_tree", text: "x"}), dkms.ArchiveInvalid, "dkms_source_tree"},
		{"directory below a file", with(entry{name: "dkms_source_tree/Makefile/x", text: "x"}), dkms.ArchiveInvalid, "Makefile"},
		{"kernel with blanks", with(entry{name: "dkms_main_tree/a b/x86_64/module/x.ko", text: "x"}), dkms.ArchiveInvalid, "not a kernel's name"},
		{"kernel named source", with(entry{name: "dkms_main_tree/source/x86_64/module/x.ko", text: "x"}), dkms.ArchiveInvalid, "not a kernel's name"},
		{"kernel without modules", with(entry{name: "dkms_main_tree/k2/x86_64/module/x.txt", text: "x"}), dkms.ArchiveInvalid, "no modules"},
		{"kernel is a file", with(entry{name: "dkms_main_tree/k2", text: "x"}), dkms.ArchiveInvalid, "not a directory"},
		{"module is a link", with(entry{name: "dkms_main_tree/k/x86_64/module/b.ko", kind: tar.TypeSymlink, link: "alpha.ko"}), dkms.ArchiveInvalid, "link among"},
		{"name leaves", conf("PACKAGE_NAME=../x\nPACKAGE_VERSION=1\n"), dkms.ArchiveInvalid, "would leave"},
		{"version has blanks", conf("PACKAGE_NAME=x\nPACKAGE_VERSION=1 2\n"), dkms.ArchiveInvalid, "package version"},
		{"conf invalid", conf("hello\n"), dkms.ConfInvalid, "PACKAGE_NAME"},
		{"conf is a link", only(entry{name: "dkms_source_tree/dkms.conf", kind: tar.TypeSymlink, link: "loop"}), dkms.ArchiveNoConf, "no dkms.conf"},
		{"no conf", only(entry{name: "a", text: "x"}), dkms.ArchiveNoConf, "no dkms.conf"},
		{"binaries without any", only(entry{name: "dkms_binaries_only/dkms.conf", text: goodConf}), dkms.ArchiveInvalid, "has none"},
		{"empty file", func(testing.TB) []byte { return nil }, dkms.ArchiveNoConf, "no archive"},
		{"text", func(testing.TB) []byte { return []byte(strings.Repeat("hello ", 999)) }, dkms.ArchiveNoConf, "no archive"},
		{"gzip of nothing", func(t testing.TB) []byte { return gzipped(t, nil) }, dkms.ArchiveNoConf, "no archive"},
		{"half", cut(3000), dkms.ArchiveInvalid, "unexpected EOF"},
		{"checksum cut off", cut(4), dkms.ArchiveInvalid, "unexpected EOF"},
		{"bomb of bytes", func(t testing.TB) []byte {
			return only(entry{name: "dkms_source_tree/dkms.conf", text: goodConf}, entry{name: "dkms_source_tree/big", size: 5 << 30})(t)
		}, dkms.ArchiveInvalid, "more than an archive may"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := newTree(t)
			install(t, tr, ref("other", "1.0"), "other.ko")
			write(t, tr.SourceDir+"/pa-1.0/Makefile", "mine")
			root := filepath.Dir(tr.Dir)
			file := filepath.Join(t.TempDir(), "x.tar.gz")
			write(t, file, string(tt.data(t)))
			before := treetest.Snapshot(t, root)
			_, err := load(t, tr, file)
			wantError(t, err, tt.kind, tt.text)
			same(t, before, treetest.Snapshot(t, root))
		})
	}
}

// TestExtractLimits: what a small file unpacks to is bounded.
func TestExtractLimits(t *testing.T) {
	t.Parallel()
	big := gzipped(t, archive(t, entry{name: "zeros", text: strings.Repeat("\x00", 4<<20)}))
	var many []entry
	for i := range 50 {
		many = append(many, entry{name: fmt.Sprintf("f%d", i)})
	}
	for _, tt := range []struct {
		data []byte
		max  limits
		ok   bool
	}{
		{big, limits{bytes: 4 << 20, entries: 1, depth: 1}, true},
		{big, limits{bytes: 4<<20 - 1, entries: 1, depth: 1}, false},
		{archive(t, many...), limits{bytes: 1, entries: 50, depth: 1}, true},
		{archive(t, many...), limits{bytes: 1, entries: 49, depth: 1}, false},
	} {
		file := filepath.Join(t.TempDir(), "x")
		write(t, file, string(tt.data))
		if err := extract(t.Context(), file, t.TempDir(), tt.max); (err == nil) != tt.ok {
			t.Errorf("extract(%+v) = %v; want success %v", tt.max, err, tt.ok)
		}
	}
	// Zeros after the end are no archive's business either.
	file := filepath.Join(t.TempDir(), "x")
	write(t, file, string(gzipped(t, append(archive(t, good...), make([]byte, 8<<20)...))))
	if err := extract(t.Context(), file, t.TempDir(), archiveLimits); err != nil {
		t.Errorf("extract() with a long tail = %v", err)
	}
}

func FuzzExtract(f *testing.F) {
	f.Add(archive(f, good...))
	f.Add(gzipped(f, archive(f, good...)))
	f.Add(archive(f, entry{name: "a", kind: tar.TypeSymlink, link: ".."}, entry{name: "a/x", text: "x"}))
	f.Add(archive(f, entry{name: "../x", text: "x"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		root := t.TempDir()
		dir := filepath.Join(root, "in/here")
		must(t, os.MkdirAll(dir, 0o755))
		file := filepath.Join(root, "x")
		must(t, os.WriteFile(file, data, 0o600))
		_ = extract(context.Background(), file, dir, limits{bytes: 1 << 20, entries: 100, depth: 20})
		for path := range treetest.Snapshot(t, root) {
			if path != root && path != file && path != root+"/in" && path != dir && !below(dir, path) {
				t.Errorf("wrote outside: %s", path)
			}
		}
	})
}

func TestLoadAgain(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	file := filepath.Join(t.TempDir(), "x.tar")
	write(t, file, string(archive(t, good...)))
	_, err := load(t, tr, file)
	must(t, err)
	p := dkms.Package{Name: "pa", Version: "1.0"}
	before := look(t, tr)
	_, err = load(t, tr, file)
	wantError(t, err, dkms.ConfInvalid, "already in the tree")
	_, err = load(t, tr, file+"x")
	wantError(t, err, dkms.SourceMissing, "not an archive file")
	_, err = load(t, tr, filepath.Dir(file))
	wantError(t, err, dkms.SourceMissing, "not an archive file")
	same(t, before, look(t, tr))

	// With force it is all the same, whatever was changed meanwhile.
	write(t, tr.Source(p)+"/Makefile", "changed")
	write(t, tr.Source(p)+"/more", "x")
	k := dkms.Ref{Package: p, KernelID: dkms.KernelID{Release: "k", Arch: arch}}
	write(t, tr.ModuleDir(k)+"/alpha.ko", "changed")
	remove(t, tr.manifestPath(k))
	loaded, err := tr.Load(t.Context(), LoadRequest{Archive: file, Identify: identify, Force: true})
	must(t, err)
	if len(loaded.Refs) != 1 || len(loaded.Skipped) != 0 {
		t.Errorf("Load(force) = %+v; want one ref", loaded)
	}
	remove(t, tr.manifestPath(k))
	after := look(t, tr)
	for path := range before {
		if strings.HasSuffix(path, manifestFile) {
			delete(before, path)
		}
	}
	same(t, before, after)

	// But not over what is installed.
	must(t, os.MkdirAll(tr.KernelDir("k"), 0o755))
	must(t, commit(tr.Install(k, []Placement{{From: "alpha.ko", To: tr.KernelDir("k") + "/alpha.ko"}}, InstallOptions{})))
	before = look(t, tr)
	_, err = tr.Load(t.Context(), LoadRequest{Archive: file, Identify: identify, Force: true})
	wantError(t, err, dkms.AlreadyInstalled, "is installed")
	same(t, before, look(t, tr))
}

// TestLoadBinariesBeside: binaries of a package whose source is here already.
func TestLoadBinariesBeside(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "x.tar")
	write(t, file, string(archive(t, entry{name: "dkms_binaries_only/dkms.conf", text: goodConf}, entry{name: "dkms_binaries_only/PACKAGE_NAME", text: "pa\n"},
		entry{name: "dkms_binaries_only/PACKAGE_VERSION", text: "1.0\n"}, good[2])))
	p := dkms.Package{Name: "pa", Version: "1.0"}
	for _, added := range []bool{false, true} {
		tr := newTree(t)
		if added {
			add(t, tr, p)
		} else {
			write(t, tr.Source(p)+"/dkms.conf", "mine")
		}
		before := treetest.Snapshot(t, tr.SourceDir)
		_, err := load(t, tr, file)
		must(t, err)
		same(t, before, treetest.Snapshot(t, tr.SourceDir))
		if d := cmp.Diff([]string{"pa/1.0, k, x86_64: built"}, statuses(t, tr, CompareOptions{})); d != "" {
			t.Errorf("added %v: status (-want +got):\n%s", added, d)
		}
		loaded, err := load(t, tr, file)
		must(t, err)
		if len(loaded.Skipped) != 1 || len(loaded.Refs) != 0 {
			t.Errorf("second Load() = %+v; want one skipped", loaded)
		}
	}
}

// TestLoadFails stops Load at every step: by an error, after which all is as
// before, and by a crash, after which Sweep leaves a state that works.
func TestLoadFails(t *testing.T) {
	t.Parallel()
	for _, force := range []bool{false, true} {
		for n := 1; n < 30; n++ {
			tr := newTree(t)
			file := filepath.Join(t.TempDir(), "x.tar")
			write(t, file, string(archive(t, good...)))
			p := dkms.Package{Name: "pa", Version: "1.0"}
			if force {
				build(t, tr, dkms.Ref{Package: p, KernelID: dkms.KernelID{Release: "k", Arch: arch}}, "old.ko")
			} else {
				write(t, tr.Source(p)+"/Makefile", "before")
			}
			before := look(t, tr)
			sc := scenario{act: func(tr Tree) error {
				_, err := tr.Load(context.Background(), LoadRequest{Archive: file, Identify: identify, Force: force})
				return err
			}}
			err := sc.stopAt(tr, n, os.ErrInvalid)
			if err == nil {
				if n < 4 {
					t.Errorf("only %d steps", n)
				}
				break
			}
			same(t, before, look(t, tr))
			noRemnants(t, tr)

			must(t, sc.stopAt(tr, n, nil))
			_, err = tr.Sweep(t.Context())
			must(t, err)
			statuses(t, tr, CompareOptions{})
			if _, err := tr.Load(t.Context(), LoadRequest{Archive: file, Identify: identify, Force: true}); err != nil {
				t.Errorf("force %v, step %d: Load() after the crash = %v", force, n, err)
			}
			noRemnants(t, tr)
		}
	}
}
