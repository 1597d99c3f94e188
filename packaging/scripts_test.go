package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/hooks"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/templates"
)

// scripts are all shell scripts that a machine gets from us, by their names in
// templates.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range []string{"kernel", "lib", "deb", "rpm"} {
		entries, err := templates.Files.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if path.Ext(e.Name()) == ".lintian-overrides" {
				continue
			}
			text, err := script(path.Join(dir, e.Name()))
			if err == nil && dir == "deb" && e.Name() == "preinst" {
				text, err = withHooks(text)
			}
			if err != nil {
				t.Fatal(err)
			}
			all[dir+"/"+e.Name()] = text
		}
	}
	return all
}

func TestScriptsParse(t *testing.T) {
	t.Parallel()
	for name, text := range scripts(t) {
		path := filepath.Join(t.TempDir(), "script")
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("sh", "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		if strings.HasPrefix(name, "rpm/") == strings.HasPrefix(text, "#!") {
			t.Errorf("%s: begins with %.12q: dpkg wants an interpreter, RPM has one", name, text)
		}
	}
}

func TestShellcheck(t *testing.T) {
	t.Parallel()
	lacks(t, "shellcheck")
	for name, text := range scripts(t) {
		cmd := exec.Command("shellcheck", "-s", "sh", "-")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	output(t, "shellcheck", "../templates/completion/dkms-hook.bash", "../templates/completion/dkms-mkpkg.bash", "../tools/version")
}

// call is the event in a line that tells us of one.
var call = regexp.MustCompile(`dkms-hook hook -- (\S+)`)

// TestEvents: every script tells of an event that there is, and every event has
// a script.
func TestEvents(t *testing.T) {
	t.Parallel()
	var known, told []string
	for _, e := range hooks.Events() {
		known = append(known, e.Name)
	}
	texts := scripts(t)
	unit, err := script("systemd/dkms.service")
	if err != nil {
		t.Fatal(err)
	}
	texts["systemd/dkms.service"] = unit
	delete(texts, "deb/preinst") // holds the hooks once more
	for _, text := range texts {
		for _, m := range call.FindAllStringSubmatch(text, -1) {
			told = append(told, m[1])
		}
	}
	slices.Sort(known)
	slices.Sort(told)
	if diff := cmp.Diff(known, told); diff != "" {
		t.Errorf("events that hooks knows, and that scripts tell of (-knows +told):\n%s", diff)
	}
}

// A callee stands in for the program: it writes its arguments down, and ends
// with a status.
type callee struct{ path, log string }

func newCallee(t *testing.T, status string) callee {
	t.Helper()
	dir := t.TempDir()
	c := callee{path: filepath.Join(dir, "dkms-hook"), log: filepath.Join(dir, "log")}
	body := "#!/bin/sh\nfor a; do printf '[%s]' \"$a\" >>" + c.log + "; done\necho said\nexit " + status + "\n"
	treetest.WriteProgram(t, c.path, body)
	return c
}

// run runs a script of templates that calls c, and returns its status, what it
// said, and c's arguments.
func (c callee) run(t *testing.T, name string, args ...string) (status int, said, got string) {
	t.Helper()
	text, err := script(name)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "script")
	treetest.WriteProgram(t, path, strings.ReplaceAll(text, "/usr/sbin/dkms-hook", c.path))
	cmd := exec.Command(path, args...)
	out, _ := cmd.CombinedOutput()
	arguments, _ := os.ReadFile(c.log)
	return cmd.ProcessState.ExitCode(), string(out), string(arguments)
}

func TestCalls(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		script string
		args   []string
		want   string
		status int // where the program ends with 9
	}{
		{"kernel/preinst", []string{"6.1", "/boot/vmlinuz-6.1"}, "[hook][--][kernel-preinst][6.1][/boot/vmlinuz-6.1]", 9},
		{"kernel/postinst", []string{"6.1", "/boot/a b"}, "[hook][--][kernel-postinst][6.1][/boot/a b]", 9},
		{"kernel/prerm", []string{"6.1"}, "[hook][--][kernel-prerm][6.1]", 9},
		{"kernel/header_postinst", []string{"6.1"}, "[hook][--][headers-postinst][6.1]", 9},
		// Words that are actions, too, and empty ones.
		{"lib/common.postinst", []string{"match", "1.0", "/usr/share/match-dkms", "", "0.9"}, "[hook][--][package-postinst][match][1.0][/usr/share/match-dkms][][0.9]", 9},
		{"lib/dkms_autoinstaller", []string{"start", "6.1"}, "[hook][--][autoinstaller][start][6.1]", 9},
		// A plugin that fails would keep kernel-install from making an initrd.
		{"lib/40-dkms.install", []string{"add", "6.1", "/boot/x/6.1", "/boot/vmlinuz"}, "[hook][--][kernel-install][add][6.1][/boot/x/6.1][/boot/vmlinuz]", 0},
	} {
		status, said, got := newCallee(t, "9").run(t, tt.script, tt.args...)
		if got != tt.want || status != tt.status || said != "said\n" {
			t.Errorf("%s %q calls with %s, ends with %d, says %q; want %s, %d", tt.script, tt.args, got, status, said, tt.want, tt.status)
		}
	}
}

// TestInert: hooks of a package that has been removed stay, and do nothing.
func TestInert(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"kernel/preinst", "kernel/postinst", "kernel/prerm", "kernel/header_postinst", "lib/40-dkms.install"} {
		c := newCallee(t, "9")
		if err := os.Remove(c.path); err != nil {
			t.Fatal(err)
		}
		if status, said, got := c.run(t, name, "add", "6.1"); status != 0 || said != "" || got != "" {
			t.Errorf("%s without the program: ends with %d, says %q, calls %q; want nothing", name, status, said, got)
		}
	}
}

// TestHookNames: run-parts leaves out what has a dot in its name, and executes
// programs only.
func TestHookNames(t *testing.T) {
	t.Parallel()
	lacks(t, "run-parts")
	dir := t.TempDir()
	for _, f := range filesOf(t, hook, pkgfmt.Deb) {
		if strings.HasPrefix(f.Path, "/etc/kernel/postinst.d/") && f.Kind == pkgfmt.Config {
			treetest.WriteProgram(t, filepath.Join(dir, path.Base(f.Path)), "#!/bin/sh\n")
			if err := os.Chmod(filepath.Join(dir, path.Base(f.Path)), f.Mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	treetest.WriteProgram(t, filepath.Join(dir, "initramfs-tools"), "#!/bin/sh\n")
	want := dir + "/dkms\n" + dir + "/initramfs-tools\n"
	if got := output(t, "run-parts", "--test", dir); got != want {
		t.Errorf("run-parts runs\n%swant\n%s", got, want)
	}
}

func TestUnit(t *testing.T) {
	t.Parallel()
	lacks(t, "systemd-analyze")
	dir := t.TempDir()
	unit, err := fs.ReadFile(templates.Files, "systemd/dkms.service")
	if err != nil {
		t.Fatal(err)
	}
	c := newCallee(t, "0")
	path := filepath.Join(dir, "dkms.service")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(unit), "/usr/sbin/dkms-hook", c.path)), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
