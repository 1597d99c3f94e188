package lint

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// listing names every file below dir with mode and size.
func listing(t testing.TB, dir string) (names []string) {
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		size := info.Size()
		if d.IsDir() {
			size = 0 // of directories it grows and never shrinks
		}
		names = append(names, fmt.Sprintf("%s %s %d", path, info.Mode(), size))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// goodConf is a dkms.conf about which there is nothing to say.
const goodConf = "PACKAGE_NAME=x\nPACKAGE_VERSION=1.0\nAUTOINSTALL=yes\nBUILT_MODULE_NAME=x\nDEST_MODULE_LOCATION=/updates\n"

// rawDeb makes a .deb of a source package with more entries in its data.
func rawDeb(t testing.TB, entries ...tarEntry) []byte {
	var out bytes.Buffer
	out.WriteString("!<arch>\n")
	member(&out, "debian-binary", []byte("2.0\n"))
	member(&out, "control.tar", tarOf(t, []tarEntry{{name: "./control", data: []byte(
		"Package: x-dkms\nVersion: 1.0\nArchitecture: all\nMaintainer: T <t@example.org>\nDepends: dkms\nDescription: x\n")}}))
	all := []tarEntry{
		{name: "./usr/", kind: tar.TypeDir, mode: 0o755}, {name: "./usr/src/", kind: tar.TypeDir, mode: 0o755},
		{name: "./usr/src/x-1.0/", kind: tar.TypeDir, mode: 0o755}, {name: "./usr/src/x-1.0/dkms.conf", data: []byte(goodConf)},
	}
	member(&out, "data.tar", tarOf(t, append(all, entries...)))
	return out.Bytes()
}

// TestHostilePackages has packages that want to write elsewhere, or to be too
// much: an error or findings, and nothing is left anywhere. It is not parallel:
// it has a TMPDIR of its own.
func TestHostilePackages(t *testing.T) {
	outside := t.TempDir()
	dir := func(name string) tarEntry { return tarEntry{name: name, kind: tar.TypeDir, mode: 0o755} }
	link := func(name, target string) tarEntry { return tarEntry{name: name, kind: tar.TypeSymlink, link: target} }
	file := func(name string) tarEntry { return tarEntry{name: name, data: []byte("hostile\n")} }
	const in = "./usr/src/x-1.0/"
	for name, entries := range map[string][]tarEntry{
		"dots":              {file(in + "../../../../../../.." + outside + "/new")},
		"dots2":             {file("../../new")},
		"absolute":          {file(outside + "/new")},
		"link then file":    {link(in+"sub", outside), file(in + "sub/new")},
		"link up":           {link(in+"sub", "../../../../../../../.."+outside), file(in + "sub/new")},
		"link as conf":      {link(in+"dkms.conf", outside+"/victim")},
		"link as Makefile":  {link(in+"Makefile", outside+"/victim")},
		"hard link out":     {{name: in + "Makefile", kind: tar.TypeLink, link: outside + "/victim"}, file(in + "Makefile")},
		"hard link conf":    {{name: in + "Makefile", kind: tar.TypeLink, link: in + "dkms.conf"}},
		"file below file":   {file(in + "a"), file(in + "a/b")},
		"directory as file": {dir(in + "a"), file(in + "a")},
		"twice":             {file(in + "a"), file(in + "a")},
		"device":            {{name: in + "null", kind: tar.TypeChar, mode: 0o666}, {name: in + "fifo", kind: tar.TypeFifo}},
		"odd names":         {file(in + "a\x1b[2Jb"), file(in + "\xff\xfe"), file(in + "new\nline"), file(in + strings.Repeat("n", 300))},
		"deep":              {file(in + strings.Repeat("d/", 2000) + "f")},
		"setuid":            {{name: in + "s", mode: 0o6755, data: []byte("\x7fELF")}},
		"conf in conf":      {file("./usr/src/dkms.conf"), file("./usr/src/../dkms.conf/dkms.conf"), file("./usr/src/.../dkms.conf")},
	} {
		t.Run(name, func(t *testing.T) {
			tmp := t.TempDir()
			t.Setenv("TMPDIR", tmp)
			if err := os.WriteFile(filepath.Join(outside, "victim"), []byte("PACKAGE_NAME=victim\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			pkg := filepath.Join(t.TempDir(), "x.deb")
			if err := os.WriteFile(pkg, rawDeb(t, entries...), 0o644); err != nil {
				t.Fatal(err)
			}
			before := listing(t, outside)
			findings, err := Path(context.Background(), pkg)
			var e *dkms.Error
			if err != nil && !errors.As(err, &e) {
				t.Errorf("Path: %v; want a *dkms.Error", err)
			}
			for _, f := range findings {
				if strings.Contains(f.String(), "victim,") || printable(f.String()) != f.String() {
					t.Errorf("%q", f)
				}
			}
			if left := listing(t, tmp); len(left) != 1 {
				t.Errorf("left behind: %q", left)
			}
			if diff := cmp.Diff(before, listing(t, outside)); diff != "" {
				t.Errorf("written outside:\n%s", diff)
			}
		})
	}
}

// TestDamagedPackages cuts packages short and changes their bytes.
func TestDamagedPackages(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	dir := t.TempDir()
	for _, name := range []string{"deb-bad", "rpm-bad-pre", "deb-modules"} {
		a, err := txtar.ParseFile("testdata/packages/" + name + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		whole, err := os.ReadFile(draftOf(t, a).write(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 60 {
			at := i * len(whole) / 60
			changed := bytes.Clone(whole)
			changed[at] ^= 0x5a
			for _, data := range [][]byte{whole[:at], changed} {
				pkg := filepath.Join(dir, "damaged.deb")
				if err := os.WriteFile(pkg, data, 0o644); err != nil {
					t.Fatal(err)
				}
				if _, err := Path(context.Background(), pkg); err != nil {
					var e *dkms.Error
					if !errors.As(err, &e) || !strings.Contains(err.Error(), pkg) {
						t.Errorf("%s at %d: %v; want a *dkms.Error that names it", name, at, err)
					}
				}
			}
		}
	}
	if left := listing(t, tmp); len(left) != 1 {
		t.Errorf("left behind: %q", left)
	}
}

func TestPathRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "gone"): "cannot be read: no such file",
		"/dev/null":                "neither a file nor a directory",
		write("big", strings.Repeat("# comment\n", 20000)): "too large",
		write("empty.deb", ""):                             "is empty",
		write("text.rpm", "text"):                          "neither a .deb nor an .rpm",
		write("ar", "!<arch>\n"):                           "",
	} {
		findings, err := Path(context.Background(), path)
		var e *dkms.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) || findings != nil {
			t.Errorf("Path(%q) = %v, %v; want a *dkms.Error with %q", path, findings, err, want)
		}
	}
}

func TestTooManyFiles(t *testing.T) {
	t.Parallel()
	tr := &tree{shown: "x", entries: make([]entry, fileLimit)}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.visit("f", "f", entries[0]); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("visit = %v; want an error", err)
	}
}

// TestManyFindings wants a rule that finds too much to be counted.
func TestManyFindings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range hereLimit + 7 {
		if err := os.Symlink("/nowhere", filepath.Join(dir, fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	findings, err := Path(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range findings {
		if f.Rule == "absolute-link" {
			n++
		}
	}
	if n != hereLimit+1 || !strings.Contains(fmt.Sprint(findings), "7 more places") {
		t.Errorf("%d findings: %v; want %d and how many more", n, findings, hereLimit)
	}
}

// TestHostileTrees has trees that lead elsewhere, or do not end.
func TestHostileTrees(t *testing.T) {
	t.Parallel()
	for name, archive := range map[string]string{
		"conf is a link out":   "symlink dkms.conf /etc/passwd\n-- a --\n",
		"conf is a FIFO":       "mkfifo dkms.conf\n-- a --\n",
		"Makefile is a FIFO":   "mkfifo Makefile\nmkfifo x.c\nmkfifo LICENSE\nmkfifo patches\n-- dkms.conf --\n" + goodConf + "PATCH=a\nPRE_BUILD=Makefile\n",
		"links in circles":     "symlink a b\nsymlink b a\nsymlink c c/c\nsymlink Makefile a\n-- dkms.conf --\n" + goodConf + "PRE_BUILD=a\nPOST_BUILD=c/c/c\n",
		"links to directories": "symlink a .\nsymlink d ..\n-- dkms.conf --\n" + goodConf + "PRE_BUILD=a/a/a/dkms.conf\nPATCH=../a/a/dkms.conf\n",
		"conf does not end":    "-- dkms.conf --\n" + goodConf + "while :; do :; done\n",
		"include itself":       "-- dkms.conf --\n" + goodConf + "MAKE=make\n-- Makefile --\ninclude Makefile\nA = $(B)\nB = $(A)\nC := $(A)\nall: all\n\t$(MAKE) -C .\n\t$(MAKE) -C $(A)\n",
		"make for ever":        "-- dkms.conf --\n" + goodConf + "MAKE='make X=1'\n-- Makefile --\nX := $(X)1\nall:\n\t$(MAKE) X=$(X)1 Y=$(Y)1\n\t$(MAKE) X=2$(X) V$(X)=1\n",
		"doubling":             "-- dkms.conf --\n" + goodConf + "MAKE=make\n-- Makefile --\n" + doubling() + "ifeq ($(A39),)\nendif\nall:\n\t$(MAKE) $(A39)\n",
		"unbalanced":           "-- dkms.conf --\n" + goodConf + "MAKE=make\n-- Makefile --\nendif\nelse\nifeq (\nifneq\nifdef\nelse ifeq\n$(((((\ndefine\n\tx\n$\n",
		"regexps":              "-- dkms.conf --\n" + goodConf + "BUILD_EXCLUSIVE_KERNEL='((((a{1,99}){1,99}){1,9})*|x{999}){3,9}'\nPATCH_MATCH='(a|b|c|d|e|f|g|h|(a|b)(c|d)(e|f)(g|h)(i|j))*$'\nPATCH=x\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			plant(t, txtar.Parse([]byte(archive)), dir)
			before := listing(t, dir)
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
			defer cancel()
			if _, err := at(ctx, dir, bounds{programs: conf.Harmless(), timeout: 100 * time.Millisecond}); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(before, listing(t, dir)); diff != "" {
				t.Errorf("the tree changed:\n%s", diff)
			}
		})
	}
}

func doubling() string {
	var b strings.Builder
	fmt.Fprintf(&b, "A0 = %s\n", strings.Repeat("x", 64))
	for i := range 40 {
		fmt.Fprintf(&b, "A%d = $(A%d)$(A%d)\n", i+1, i, i)
	}
	return b.String()
}

// TestUnreadable wants what cannot be read to be named. Root can read all.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	l := &linter{tree: &tree{shown: "x", broken: []entry{{path: "secret", target: "permission denied"}}}, whole: true}
	if err := l.judge(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(l.finish()); !strings.Contains(got, "x/secret: error: permission denied [unreadable]") {
		t.Errorf("findings %s; want one about x/secret", got)
	}
}

// TestUnreadableText: where a file cannot be read that is one finding, and none
// says what is not in it.
func TestUnreadableText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ gone, conf, want string }{
		{"x.c", "PACKAGE_NAME=x\nPACKAGE_VERSION=1\nBUILT_MODULE_NAME=x\nDEST_MODULE_LOCATION=/extra\nAUTOINSTALL=yes\n", "[x/x.c: error: no such file or directory [unreadable]]"},
		{"dkms.conf", "", "[x/dkms.conf: error: no such file or directory [unreadable]]"},
	} {
		dir := t.TempDir()
		l := &linter{tree: &tree{dir: dir, shown: "x"}, whole: true, confPath: "dkms.conf"}
		for name, text := range map[string]string{"dkms.conf": tt.conf, "x.c": "MODULE_LICENSE(\"GPL\");", "Makefile": "obj-m := x.o\n"} {
			l.tree.entries = append(l.tree.entries, entry{path: name, mode: 0o644})
			if name == tt.gone { // while we look, which fails for root, too
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		l.tree.index()
		if err := l.judge(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(l.finish()); got != tt.want {
			t.Errorf("without %s: findings %s; want %s", tt.gone, got, tt.want)
		}
	}
}

// TestSyntaxErrorAlone: nothing is said to be missing that may stand behind a
// syntax error.
func TestSyntaxErrorAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dkms.conf")
	if err := os.WriteFile(path, []byte("PACKAGE_NAME=x\nPACKAGE_VERSION=\"1\nAUTOINSTALL=yes\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	findings, err := Path(context.Background(), path)
	if err != nil || len(findings) != 1 || findings[0].Rule != "syntax-error" {
		t.Errorf("Path = %v, %v; want the syntax error alone", findings, err)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Path(ctx, "."); !errors.Is(err, context.Canceled) {
		t.Errorf("Path = %v; want context.Canceled", err)
	}
}

// fuzzTree judges a tree of two files, with no program to start.
func fuzzTree(t testing.TB, conf, makefile string) {
	dir := t.TempDir()
	for name, text := range map[string]string{"dkms.conf": conf, "Makefile": makefile, "x.c": "MODULE_LICENSE(\"GPL\");"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before := listing(t, dir)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	start := time.Now()
	findings, err := at(ctx, dir, bounds{programs: []string{}, timeout: 3 * time.Second})
	if err != nil {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 50*time.Second {
		t.Errorf("took %s", took)
	}
	for _, f := range findings {
		if _, ok := ruleNamed(f.Rule); !ok || printable(f.String()) != f.String() {
			t.Errorf("%q", f)
		}
	}
	if diff := cmp.Diff(before, listing(t, dir)); diff != "" {
		t.Errorf("the tree changed:\n%s", diff)
	}
}

// FuzzTree looks for a panic, a hang, or a file written.
func FuzzTree(f *testing.F) {
	for _, pattern := range []string{"testdata/trees/*.txtar", "testdata/confs/*.txtar"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			a, err := txtar.ParseFile(path)
			if err != nil {
				f.Fatal(err)
			}
			conf, makefile := "", ""
			for _, file := range a.Files {
				switch file.Name {
				case "Makefile":
					makefile = string(file.Data)
				case "want":
				default:
					conf = string(file.Data)
				}
				f.Add(conf, makefile)
			}
		}
	}
	f.Fuzz(func(t *testing.T, conf, makefile string) { fuzzTree(t, conf, makefile) })
}

// FuzzPackage looks for a panic, or something left behind.
func FuzzPackage(f *testing.F) {
	for _, name := range []string{"deb-bad", "rpm-bad-pre", "deb-modules"} {
		a, err := txtar.ParseFile("testdata/packages/" + name + ".txtar")
		if err != nil {
			f.Fatal(err)
		}
		data, err := os.ReadFile(draftOf(f, a).write(f, f.TempDir()))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		pkg := filepath.Join(t.TempDir(), "x.deb")
		if err := os.WriteFile(pkg, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := at(context.Background(), pkg, bounds{programs: []string{}, timeout: 3 * time.Second})
		var e *dkms.Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("%v; want a *dkms.Error", err)
		}
	})
}

// FuzzScript looks for a panic in what follows scripts of packages.
func FuzzScript(f *testing.F) {
	paths, _ := filepath.Glob("testdata/packages/rpm-*.txtar")
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			if strings.HasPrefix(file.Name, "script/") {
				f.Add(string(file.Data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		start := time.Now()
		dkmsRemovals(text)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("took %s", took)
		}
	})
}
