package kmod

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// stub is two modules without their bytes, for one kernel, and where they are.
func stub(release string) (string, Built) {
	b := Built{}
	b.Kernel.Release = release
	for _, name := range []string{"sample-core", "sample_pci"} {
		b.Modules = append(b.Modules, Module{BuiltModule: kbuild.BuiltModule{Module: kbuild.Module{Built: name, Dest: name}, File: name + ".ko.xz"}})
	}
	return "/lib/modules/" + release + "/extra/sample", b
}

// place is a root directory of fakes, in which scripts run as if it were /.
type place struct{ dir string }

// absolute are the paths that scripts name and that lie in a place.
var absolute = regexp.MustCompile(`/(usr/sbin|usr/share/initramfs-tools|etc/initramfs-tools|var/lib/rpm-state|lib/modules|boot)\b`)

// newPlace has the files, and programs that log how they were called, and what
// they read: each takes what it does from its text.
func newPlace(t *testing.T, files, programs map[string]string) place {
	t.Helper()
	p := place{t.TempDir()}
	for name, text := range files {
		put(t, filepath.Join(p.dir, name), text)
	}
	for name, text := range programs {
		treetest.WriteProgram(t, filepath.Join(p.dir, name), "#!/bin/sh\necho \"${0##*/} $*\" >>"+p.dir+"/log\n"+strings.ReplaceAll(text, "@LOG@", p.dir+"/log"))
	}
	return p
}

// run runs a script of a package manager's with $1 and returns what was called.
func (p place) run(t *testing.T, text string, args ...string) string {
	t.Helper()
	_ = os.Remove(filepath.Join(p.dir, "log"))
	cmd := exec.Command("sh", append([]string{"-e", "-c", absolute.ReplaceAllString(text, p.dir+"$0"), "script"}, args...)...)
	cmd.Env = []string{"PATH=" + p.dir + "/bin:" + system.SafePath, "DPKG_MAINTSCRIPT_PACKAGE=sample"}
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("script: %v\n%s", err, out)
	}
	log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	return strings.ReplaceAll(string(log), p.dir, "")
}

// catches is a fake that reads a list.
const catches = "sed 's/^/< /' >>@LOG@\n"

const list2 = "< /lib/modules/6.1.0-1.x/extra/sample/sample-core.ko.xz\n< /lib/modules/6.1.0-1.x/extra/sample/sample_pci.ko.xz\n"

// TestKsymScripts: weak-modules hears of the modules that came after an
// install and an upgrade, and of those that went after an upgrade and an erase.
func TestKsymScripts(t *testing.T) {
	t.Parallel()
	dir, b := stub("6.1.0-1.x")
	s, err := scripts("rpm-ksym", dir, b, "post", "posttrans", "preun", "postun")
	if err != nil {
		t.Fatal(err)
	}
	weak := map[string]string{"usr/sbin/weak-modules": catches, "usr/sbin/depmod": "", "bin/rpm": "exit 1\n"}
	p := newPlace(t, map[string]string{"lib/modules/6.1.0-1.x/modules.dep": ""}, weak)
	state := filepath.Join(p.dir, "var/lib/rpm-state/kmod-dups")
	for _, step := range []struct{ name, arg, want string }{
		{"post", "1", "depmod -a 6.1.0-1.x\nweak-modules --add-modules --no-initramfs\n" + list2},
		{"posttrans", "1", ""},
		{"post", "2", "depmod -a 6.1.0-1.x\nweak-modules --add-modules --no-initramfs\n" + list2},
		{"preun", "1", "rpm -q --filetriggers kmod\n"},
		{"postun", "1", "rpm -q --filetriggers kmod\nweak-modules --remove-modules\n" + list2 + "depmod -a 6.1.0-1.x\n"},
		{"posttrans", "2", ""},
		{"preun", "0", "rpm -q --filetriggers kmod\n"},
		{"postun", "0", "rpm -q --filetriggers kmod\nweak-modules --remove-modules\n" + list2 + "depmod -a 6.1.0-1.x\n"},
	} {
		if got := p.run(t, s[step.name], step.arg); got != step.want {
			t.Errorf("%s %s called:\n%s\nwant:\n%s", step.name, step.arg, got, step.want)
		}
		if there := system.Exists(filepath.Join(state, "kver/6.1.0-1.x")); there != (step.name == "post") && step.name != "preun" && step.name != "postun" {
			t.Errorf("after %s: state %v", step.name, there)
		}
	}
	if system.Exists(state) {
		t.Error("state is left")
	}
}

// TestKsymTrigger: where kmod looks after initial RAM file systems when modules
// have gone, it is left to that, and told.
func TestKsymTrigger(t *testing.T) {
	t.Parallel()
	dir, b := stub("6.1.0-1.x")
	s, err := scripts("rpm-ksym", dir, b, "preun", "postun")
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, nil, map[string]string{"usr/sbin/weak-modules": catches, "bin/rpm": "echo '# weak-modules call on kmod removal'\n"})
	p.run(t, s["preun"], "0")
	if !system.Exists(filepath.Join(p.dir, "var/lib/rpm-state/kmod-dups/kver/6.1.0-1.x")) {
		t.Error("preun left no state for kmod's trigger")
	}
	want := "rpm -q --filetriggers kmod\nweak-modules --remove-modules --no-initramfs\n" + list2
	if got := p.run(t, s["postun"], "0"); got != want {
		t.Errorf("postun called:\n%s\nwant:\n%s", got, want)
	}
}

// TestKsymInitramfs: of the kernels that may have got weak modules, those with an
// initial RAM file system get a new one, if it differs.
func TestKsymInitramfs(t *testing.T) {
	t.Parallel()
	dir, b := stub("6.1.0-1.x")
	s, err := scripts("rpm-ksym", dir, b, "post", "posttrans")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"lib/modules/7.0.0-1.x/symvers.gz": "", "boot/initramfs-7.0.0-1.x.img": "old", "lib/modules/6.1.0-4.x/symvers.gz": ""}
	for kernel, symvers := range map[string]string{"6.1.0-1.x": "lib/modules/6.1.0-1.x/symvers.gz", "6.1.0-2.x": "lib/modules/6.1.0-2.x/symvers.xz", "6.1.0-3.x": "boot/symvers-6.1.0-3.x.gz", "6.1.0-5.x": "lib/modules/6.1.0-5.x/x"} {
		files["boot/initramfs-"+kernel+".img"] = "old"
		files["lib/modules/"+kernel+"/modules.dep"] = ""
		files[symvers] = ""
	}
	files["boot/initramfs-6.1.0-2.x.img"] = "new"
	p := newPlace(t, files, map[string]string{"usr/sbin/weak-modules": catches, "usr/sbin/depmod": "", "bin/dracut": `printf new >"$2"` + "\n"})
	p.run(t, s["post"], "1")
	want := ""
	for _, k := range []string{"6.1.0-1.x", "6.1.0-2.x", "6.1.0-3.x"} {
		want += "dracut -f /boot/initramfs-" + k + ".img.tmp " + k + "\n"
	}
	if got := p.run(t, s["posttrans"], "1"); got != want {
		t.Errorf("posttrans called:\n%s\nwant:\n%s", got, want)
	}
	for k, text := range map[string]string{"6.1.0-1.x": "new", "6.1.0-2.x": "new", "6.1.0-3.x": "new", "6.1.0-5.x": "old", "7.0.0-1.x": "old"} {
		if got := read(t, filepath.Join(p.dir, "boot/initramfs-"+k+".img")); got != text {
			t.Errorf("initramfs of %s is %s; want %s", k, got, text)
		}
	}
	if got := p.run(t, s["posttrans"], "1"); got != "" {
		t.Errorf("the second posttrans of a transaction called:\n%s", got)
	}
	if left, _ := filepath.Glob(filepath.Join(p.dir, "boot/*.tmp")); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

func TestKsymWithoutWeakModules(t *testing.T) {
	t.Parallel()
	dir, b := stub("6.1.0-1.x")
	s, err := scripts("rpm-ksym", dir, b, "post", "posttrans", "preun", "postun")
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, map[string]string{"lib/modules/6.1.0-1.x/modules.dep": ""}, map[string]string{"usr/sbin/depmod": "exit 1\n", "bin/rpm": "exit 1\n"})
	for name, want := range map[string]string{"post": "depmod -a 6.1.0-1.x\n", "posttrans": "", "preun": "rpm -q --filetriggers kmod\n", "postun": "depmod -a 6.1.0-1.x\n"} {
		if got := p.run(t, s[name], "1"); got != want {
			t.Errorf("%s called %q; want %q", name, got, want)
		}
	}
}

func TestExactScripts(t *testing.T) {
	t.Parallel()
	dir, b := stub("6.1.0-1.x")
	s, err := scripts("rpm-exact", dir, b, "post", "postun")
	if err != nil {
		t.Fatal(err)
	}
	programs := map[string]string{"usr/sbin/depmod": "exit 1\n"}
	with := newPlace(t, map[string]string{"lib/modules/6.1.0-1.x/modules.dep": ""}, programs)
	without := newPlace(t, nil, programs)
	for _, name := range []string{"post", "postun"} {
		if got := with.run(t, s[name], "1"); got != "depmod -a 6.1.0-1.x\n" {
			t.Errorf("%s called %q", name, got)
		}
		if got := without.run(t, s[name], "0"); got != "" {
			t.Errorf("%s, with the kernel gone, called %q", name, got)
		}
	}
}

func TestDebScripts(t *testing.T) {
	t.Parallel()
	const image = "boot/initrd.img-6.1.0-1.x"
	index := "lib/modules/6.1.0-1.x/modules.dep"
	looked := "depmod -a 6.1.0-1.x\nlsinitramfs /boot/initrd.img-6.1.0-1.x\n"
	refresh := looked + "update-initramfs -u -k 6.1.0-1.x\n"
	for _, tt := range []struct {
		name   string
		files  []string
		holds  string // what lsinitramfs prints
		asked  string // in initramfs-tools' list
		older  bool   // the initial RAM file system is older than the modules
		remake bool
		script string
		args   []string
		want   string
	}{
		{"install", []string{index}, "", "", true, false, "postinst", []string{"configure", ""}, "depmod -a 6.1.0-1.x\n"},
		{"kernel not configured yet", nil, "", "", true, true, "postinst", []string{"configure", ""}, ""},
		{"initramfs without it", []string{index, image}, "kernel/other.ko", "# sample-core\nother\n", true, false, "postinst", []string{"configure", ""}, looked},
		{"initramfs with it", []string{index, image}, "usr/lib/modules/6.1.0-1.x/kernel/d/sample-pci.ko.zst", "", true, false, "postinst", []string{"configure", "1.0"}, refresh},
		{"initramfs with it since", []string{index, image}, "usr/lib/modules/6.1.0-1.x/kernel/d/sample-pci.ko.zst", "", false, false, "postinst", []string{"configure", "1.0"}, "depmod -a 6.1.0-1.x\n"},
		{"initramfs that is asked to have it", []string{index, image}, "", "other\nsample_core x=1\n", true, false, "postinst", []string{"configure", ""}, refresh},
		{"initramfs in any case", []string{index, image}, "", "", true, true, "postinst", []string{"configure", ""}, "depmod -a 6.1.0-1.x\nupdate-initramfs -u -k 6.1.0-1.x\n"},
		{"called off", []string{index}, "", "", true, false, "postinst", []string{"abort-remove"}, "depmod -a 6.1.0-1.x\n"},
		{"trigger", []string{index}, "", "", true, false, "postinst", []string{"triggered", "x"}, ""},
		{"remove", []string{index, image}, "lib/modules/6.1.0-1.x/updates/sample/sample_core.ko", "", false, false, "postrm", []string{"remove"}, refresh},
		{"remove after the kernel", []string{image}, "", "", true, true, "postrm", []string{"remove"}, ""},
		{"purge", []string{index, image}, "", "", true, true, "postrm", []string{"purge"}, ""},
		{"upgrade", []string{index, image}, "", "", true, true, "postrm", []string{"upgrade", "2"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, b := stub("6.1.0-1.x")
			b.Recipe.RemakeInitrd = tt.remake
			s, err := scripts("deb", dir, b, "postinst", "postrm")
			if err != nil {
				t.Fatal(err)
			}
			files := map[string]string{"lib/modules/6.1.0-1.x/extra/sample/sample-core.ko.xz": "", "etc/initramfs-tools/modules": tt.asked}
			for _, f := range tt.files {
				files[f] = ""
			}
			p := newPlace(t, files, map[string]string{"bin/depmod": "", "bin/update-initramfs": "", "bin/lsinitramfs": "echo '" + tt.holds + "'\n"})
			age(t, p, image, tt.older)
			if got := p.run(t, s[tt.script], tt.args...); got != tt.want {
				t.Errorf("%s %q called:\n%s\nwant:\n%s", tt.script, tt.args, got, tt.want)
			}
		})
	}
}

// age makes a file, if it is there, older or younger than everything else.
func age(t *testing.T, p place, name string, older bool) {
	t.Helper()
	at := time.Now().Add(time.Hour)
	if older {
		at = time.Unix(1, 0)
	}
	if path := filepath.Join(p.dir, name); system.Exists(path) {
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

func TestModulePattern(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		hits []string
		not  []string
	}{
		{"a-b_c", []string{"a-b-c", "a_b_c", "a_b-c"}, []string{"a.b.c", "abc"}},
		{"a.b+", []string{"a.b+"}, []string{"axb+", "a.bb"}},
		{"_a--b", []string{"-a__b"}, []string{"a--b"}},
	} {
		re := regexp.MustCompile("^" + modulePattern(tt.name) + "$")
		for _, s := range append(tt.hits, tt.name) {
			if !re.MatchString(s) {
				t.Errorf("%s does not match %q", re, s)
			}
		}
		for _, s := range tt.not {
			if re.MatchString(s) {
				t.Errorf("%s matches %q", re, s)
			}
		}
	}
}
