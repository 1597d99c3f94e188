//go:build e2e

package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// TestWalkThrough types what the DKMS how-to tells a person to type, without a
// kernel: it is for the one that runs.
func TestWalkThrough(t *testing.T) {
	for _, name := range []string{"dkms", "dkms-hook"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, ours, "it87-eol")
			release := m.addRunningKernel(t)

			out := m.Must(name, "add", "-m", "it87", "-v", "eol").Stdout
			want := "Creating symlink /var/lib/dkms/it87/eol/source -> /usr/src/it87-eol\n"
			if !strings.Contains(out, want) || !strings.Contains(out, "DKMS: add completed.\n") {
				t.Errorf("add prints %q; want the lines of the how-to", out)
			}
			m.Must(name, "build", "-m", "it87", "-v", "eol")
			m.Must(name, "install", "-m", "it87", "-v", "eol")
			if got := strings.TrimSpace(m.Must("modinfo", "-k", release, "-F", "version", "it87").Stdout); got != "eol" {
				t.Errorf("modinfo finds version %q; want eol", got)
			}
			if got := strings.TrimSpace(m.Must("modinfo", "-k", release, "-n", "it87").Stdout); got != "/lib/modules/"+release+"/updates/dkms/it87.ko" {
				t.Errorf("modinfo finds %s; want it in updates/dkms", got)
			}
			row := "it87/eol, " + release + ", x86_64: installed\n"
			if got := m.Must(name, "status").Stdout; got != row {
				t.Errorf("status prints %q; want %q", got, row)
			}
			m.Must(name, "remove", "it87/eol", "--all")
			if got := m.Must(name, "status").Stdout; got != "" {
				t.Errorf("status prints %q; want nothing", got)
			}
			if left := m.Glob("/lib/modules/" + release + "/updates"); len(left) > 0 {
				t.Errorf("left after remove: %v", left)
			}
		})
	}
}

// addRunningKernel makes headers for the kernel that runs, out of those of the
// generic one: they differ in what release they tell. It returns the release.
func (m machine) addRunningKernel(tb testing.TB) string {
	tb.Helper()
	release := strings.TrimSpace(m.Must("uname", "-r").Stdout)
	from, to := "/lib/modules/"+m.generic+"/build", "/usr/src/linux-headers-"+release
	m.RemoveAll("/lib/modules/" + release)
	m.RemoveAll(to)
	m.Must("cp", "-aH", from, to)
	m.Symlink(to, "/lib/modules/"+release+"/build")
	for _, f := range []string{".kernelvariables", "include/generated/utsrelease.h"} {
		text := strings.ReplaceAll(string(m.Read(to+"/"+f)), m.generic, release)
		if !strings.Contains(text, release) {
			tb.Fatalf("%s/%s does not name its release: %s", to, f, text)
		}
		m.Write(to+"/"+f, text)
	}
	for _, f := range []string{"modules.order", "modules.builtin"} {
		m.Write("/lib/modules/"+release+"/"+f, "")
	}
	m.Write("/lib/modules/"+release+"/kernel/hwmon-vid.ko", string(m.Read("/lib/modules/"+m.generic+"/kernel/drivers/hwmon/hwmon-vid.ko")))
	m.Must("depmod", release)
	return release
}

// TestOriginal displaces a module of the kernel's own, and puts it back.
func TestOriginal(t *testing.T) {
	t.Parallel()
	m := newMachine(t, ours, "it87-eol")
	own := "/lib/modules/" + m.generic + "/kernel/drivers/hwmon/it87.ko"
	before := m.installed(t)
	m.want(t, 0, "install", "it87/eol", "-k", "{K}")
	want := regexp.MustCompile(`^it87/eol, \S+, x86_64: installed \(Original modules exist\)\n$`)
	if got := m.want(t, 0, "status").Stdout; !want.MatchString(got) {
		t.Errorf("status prints %q; want %v", got, want)
	}
	if m.Exists(own) {
		t.Errorf("%s is there still: modprobe would take one of two", own)
	}
	m.want(t, 0, "remove", "it87/eol", "--all")
	sameLines(t, "/lib/modules after install and remove", before, m.installed(t))
}

func sameLines(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := differ(facts{"x": want}, facts{"x": got})["x"]; len(diff) > 0 {
		t.Errorf("%s (- before, + after):\n%s", what, strings.Join(diff, "\n"))
	}
}
