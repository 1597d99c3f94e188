package recipe

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	gitconfig "github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/golden"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// unpackTree writes an archive's files below dir/NAME, but for what begins with
// "want"; NAME is the first word of its comment.
func unpackTree(t *testing.T, file string) string {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), strings.Fields(string(a.Comment))[0])
	for _, f := range a.Files {
		if strings.HasPrefix(f.Name, "want") {
			continue
		}
		writeFile(t, filepath.Join(dir, f.Name), string(f.Data))
	}
	return dir
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestInit(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/init/*.txtar")
	if len(files) == 0 {
		t.Fatal("no testdata/init")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			dir := unpackTree(t, file)
			draft, err := Init(context.Background(), dir, InitOptions{})
			if err != nil {
				golden.Section(t, file, "want-error", strings.ReplaceAll(err.Error(), dir, "DIR")+"\n")
				return
			}
			golden.Section(t, file, "want", string(draft.Text))
			golden.Section(t, file, "want-warnings", strings.Join(append(draft.Warnings, ""), "\n"))
			loads(t, dir, draft.Text)
			again, err := Init(context.Background(), dir, InitOptions{})
			if err != nil || string(again.Text) != string(draft.Text) {
				t.Errorf("a second Init says something else: %v", err)
			}
		})
	}
}

// loads proves that the text is a dkms.conf without problems and warnings.
func loads(t *testing.T, dir string, text []byte) *conf.Conf {
	t.Helper()
	file := filepath.Join(t.TempDir(), "dkms.conf")
	writeFile(t, file, string(text))
	c, err := conf.Load(context.Background(), conf.Request{File: file, Programs: []string{}, Trees: conf.Trees{DKMS: "/var/lib/dkms", Source: "/usr/src", Install: "/lib/modules"}},
		kbuild.Kernel{KernelID: dkms.KernelID{Release: "6.1.0-50-amd64", Arch: "x86_64"}, Source: "/lib/modules/6.1.0-50-amd64/build"})
	if err != nil {
		t.Fatalf("%s: %v\n%s", dir, err, text)
	}
	for _, w := range c.Warnings {
		t.Errorf("%s: %v", dir, w)
	}
	return c
}

func TestInitOptions(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "x")
	writeFile(t, filepath.Join(dir, "Kbuild"), "obj-m := a.o\n")
	draft, err := Init(context.Background(), dir, InitOptions{Name: "other", Version: "7"})
	if err != nil {
		t.Fatal(err)
	}
	if c := loads(t, dir, draft.Text); c.PackageName != "other" || c.PackageVersion != "7" {
		t.Errorf("Init has %s/%s; want other/7", c.PackageName, c.PackageVersion)
	}
	for _, o := range []InitOptions{{Name: "a b"}, {Version: "$(x)"}, {Name: "../x"}} {
		if draft, err := Init(context.Background(), dir, o); err == nil {
			t.Errorf("Init(%+v) = %s; want an error", o, draft.Text)
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Init(ended, dir, InitOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Init that was called off: %v", err)
	}
}

func TestKbuild(t *testing.T) {
	t.Parallel()
	const module = "#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\n"
	for name, tt := range map[string]struct {
		files map[string]string
		want  string // of the Kbuild; empty: an error with problem
		error string
	}{
		"one":            {map[string]string{"hello.c": module, "hello.h": "", "README": ""}, "obj-m := hello.o\n", ""},
		"none":           {map[string]string{"README": ""}, "", "no C file"},
		"several":        {map[string]string{"a.c": module, "b.c": module}, "", "several C files"},
		"no module":      {map[string]string{"main.c": "int main(void) { return 0; }"}, "", "no source of a module"},
		"odd name":       {map[string]string{"a b.c": module}, "", "no source of a module"},
		"has one":        {map[string]string{"a.c": module, "Makefile": "all:\n"}, "", "lists no module"},
		"left by kbuild": {map[string]string{"a.c": module, "a.mod.c": ""}, "obj-m := a.o\n", ""},
	} {
		dir := t.TempDir()
		for file, text := range tt.files {
			writeFile(t, filepath.Join(dir, file), text)
		}
		got, err := Kbuild(dir)
		if string(got) != tt.want || tt.want == "" && (err == nil || !strings.Contains(err.Error(), tt.error)) {
			t.Errorf("%s: Kbuild = %q, %v; want %q, %q", name, got, err, tt.want, tt.error)
		}
		_, err = Init(context.Background(), dir, InitOptions{})
		if err == nil {
			t.Errorf("%s: Init without a Makefile gives no error", name)
		}
		draft, err := Init(context.Background(), dir, InitOptions{Makefile: true})
		if (err == nil) != (tt.want != "") {
			t.Errorf("%s: Init with Makefile: %v", name, err)
		}
		if err == nil {
			loads(t, dir, draft.Text)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := Check(dir, false); err != nil {
		t.Errorf("Check of an empty directory: %v", err)
	}
	writeFile(t, filepath.Join(dir, "dkms.conf"), "")
	var e *dkms.Error
	if err := Check(dir, false); !errors.As(err, &e) || e.Hint == "" {
		t.Errorf("Check = %v; want an error with a hint", err)
	}
	if err := Check(dir, true); err != nil {
		t.Errorf("Check with force: %v", err)
	}
}

func TestSplitName(t *testing.T) {
	t.Parallel()
	for base, want := range map[string][2]string{
		"foo-1.2": {"foo", "1.2"}, "foo-v1.2.3": {"foo", "1.2.3"}, "foo_1.0~rc1": {"foo", "1.0~rc1"}, "foo-main": {"foo", ""}, "foo-bar": {"foo-bar", ""},
		"rtl8812au-5.6.4.2": {"rtl8812au", "5.6.4.2"}, "foo-20240101": {"foo", "20240101"}, "v4l2loopback": {"v4l2loopback", ""}, "1.2": {"1.2", ""},
		"rapiddisk-dkms-9.0.0": {"rapiddisk-dkms", "9.0.0"}, "foo-3": {"foo", "3"}, "r8168-8.052.01": {"r8168", "8.052.01"},
	} {
		if name, version := splitName(base); name != want[0] || version != want[1] {
			t.Errorf("splitName(%q) = %q, %q; want %q, %q", base, name, version, want[0], want[1])
		}
	}
}

func TestVersionOfTag(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"v1.2": "1.2", "1.2": "1.2", "foo-1.2": "1.2", "release-1.2": "1.2", "release/1.2": "1.2", "V3": "3", "1.0-rc1": "1.0-rc1",
		"foo": "", "next": "", "bar-1.2": "", "debian/1.2-1": "", "v": "", "1.2 x": "",
	} {
		if got := versionOfTag(tag, []string{"foo", ""}); got != want {
			t.Errorf("versionOfTag(%q) = %q; want %q", tag, got, want)
		}
	}
}

func TestRemoteName(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://example.org/a/foo.git": "foo", "git@example.org:a/foo.git": "foo", "/srv/git/foo.git/": "foo", "foo": "foo", "": "",
	} {
		if got := remoteName(url); got != want {
			t.Errorf("remoteName(%q) = %q; want %q", url, got, want)
		}
	}
}

// TestInitGit has name and version from the repository, where the source tells
// none.
func TestInitGit(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "checkout")
	writeFile(t, filepath.Join(dir, "Kbuild"), "obj-m := a.o\n")
	r, err := git.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.CreateRemote(&gitconfig.RemoteConfig{Name: "origin", URLs: []string{"https://example.org/x/driver-a.git"}}); err != nil {
		t.Fatal(err)
	}
	who := &object.Signature{Name: "Jo", Email: "jo@example.org", When: time.Unix(1700000000, 0)}
	commit := func(message string) {
		t.Helper()
		w, err := r.Worktree()
		if err != nil {
			t.Fatal(err)
		}
		if err := w.AddGlob("."); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Commit(message, &git.CommitOptions{Author: who, AllowEmptyCommits: true}); err != nil {
			t.Fatal(err)
		}
	}
	commit("first")
	if got := readRepository(dir); got != (repository{name: "driver-a"}) {
		t.Errorf("readRepository without tags = %+v", got)
	}
	head, _ := r.Head()
	if _, err := r.CreateTag("v2.1", head.Hash(), &git.CreateTagOptions{Tagger: who, Message: "2.1"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"v2.0", "nightly"} {
		if _, err := r.CreateTag(name, head.Hash(), nil); err != nil {
			t.Fatal(err)
		}
	}
	commit("second")
	draft, err := Init(context.Background(), dir, InitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if c := loads(t, dir, draft.Text); c.PackageName != "driver-a" || c.PackageVersion != "2.1" {
		t.Errorf("Init has %s/%s; want driver-a/2.1\n%s", c.PackageName, c.PackageVersion, draft.Text)
	}
}

// A damaged repository tells nothing.
func TestBrokenGit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"HEAD": "ref: refs/heads/x\n", "config": "[core\n", "packed-refs": "\x00\xff"} {
		writeFile(t, filepath.Join(dir, ".git", name), text)
	}
	if got := readRepository(dir); got != (repository{}) {
		t.Errorf("readRepository = %+v; want nothing", got)
	}
}

// TestInitHostile has names everywhere that a shell would run. What comes out
// sets nothing but directives.
func TestInitHostile(t *testing.T) {
	t.Parallel()
	const evil = "x`touch gone`$(touch gone)\nEVIL=1;\""
	dir := filepath.Join(t.TempDir(), evil)
	for name, text := range map[string]string{
		"Makefile": "E;R=$(shell uname -r)\nexport CONFIG_A`touch-gone`=m\nall:\n\tmake -C $(K;D) M=$(PWD)/" + "ok A`x`=1 \"B;C=2\"\n" +
			"\tmake -C $(K) M='$(PWD)/a;b' CONFIG_`id`=m\n",
		"ok/Makefile":      "include $(src)/in\\\nclude\nobj-$(CONFIG_`touch-gone`) += y.o\nobj-m += z.o\nifdef CONFIG_\"$(X)\nobj-m += q.o\nendif\n",
		"ok/z.c":           "MODULE_VERSION(\"1`touch gone`\");",
		"a;b/Makefile":     "obj-m := w.o\n",
		evil + "/Makefile": "obj-m := v.o\n",
		"VERSION":          "1;touch gone\n",
	} {
		writeFile(t, filepath.Join(dir, name), text)
	}
	draft, err := Init(context.Background(), dir, InitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(draft.Text)) {
		if line != "\n" && line[0] != '#' && (strings.ContainsAny(line, "`;\\") || strings.Contains(line, "$(")) {
			t.Errorf("line %q", line)
		}
	}
	if c := loads(t, dir, draft.Text); len(c.Modules) != 1 || c.Modules[0].Built != "z" {
		t.Errorf("modules %+v; want z\n%s", c.Modules, draft.Text)
	}
}
