package write

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
)

// when is the time of all samples: a Tuesday.
var when = time.Unix(1_700_000_000, 0).UTC()

// sample is a package that uses all that its format has.
func sample(f pkgfmt.Format) pkgfmt.Package {
	p := pkgfmt.Package{
		Format: f, Name: "foo-dkms", Version: pkgfmt.Version{Epoch: 1, Upstream: "1.0~rc1", Revision: "2"}, Arch: "noarch",
		Summary: "Driver for foo, as source",
		Description: "The source of the driver for foo, which is compiled for each kernel of the machine when it comes or when the kernel does.\n\n" +
			"It is said to be good, and it knows “quotes” as well.",
		License: "GPL-2.0-or-later", Homepage: "https://example.org/foo", Maintainer: "Ada Example <ada@example.org>", Vendor: "Example",
		Section: "System Environment/Kernel", Time: when,
		Relations: pkgfmt.Relations{
			Depends:     []string{"(dkms-hook or dkms >= 2.1.0.0)", "kmod", "kernel(printk) = 0x12345678"},
			Recommends:  []string{"gcc"},
			Suggests:    []string{"mokutil >= 0.3"},
			Conflicts:   []string{"kmod-foo < 2:1.0-1"},
			Replaces:    []string{"foo-old <= 0.9"},
			Provides:    []string{"foo-kmod = 1:1.0~rc1"},
			Enhances:    []string{"kernel"},
			Supplements: []string{"modalias(pci:v00008086d00001234sv*sd*bc*sc*i*)", "(kernel and foo)"},
			ForScripts:  []string{"dkms >= 2.1"},
		},
		Scripts: map[string]string{"post": "echo post\n", "preun": "echo preun\n", "posttrans": "echo posttrans\n", "pre": "echo pre\n", "postun": "echo postun\n"},
		FileTriggers: []pkgfmt.FileTrigger{
			{On: pkgfmt.OnInstall, Prefixes: []string{"/lib/modules", "/usr/lib/modules"}, Script: "echo in\n"},
			{On: pkgfmt.OnRemoval, Prefixes: []string{"/lib/modules"}, Script: "echo un\n"},
			{On: pkgfmt.AfterRemoval, Prefixes: []string{"/usr/src"}, Script: "echo postun\n"},
		},
		Files: sampleFiles(),
		Changes: []pkgfmt.Change{
			{
				Version: pkgfmt.Version{Epoch: 1, Upstream: "1.0~rc1", Revision: "2"}, Time: when, Author: "Ada Example <ada@example.org>",
				Lines: []string{"A change that takes many words to be told, so many that they do not go into one line of a changelog.", "Another."},
			},
			{Version: pkgfmt.Version{Upstream: "0.9", Revision: "1"}, Time: when.AddDate(-1, 0, 0), Author: "Bob <bob@example.org>", Lines: []string{"First."}},
		},
	}
	if f == pkgfmt.Deb {
		debSample(&p)
	}
	return p
}

// debSample says in Debian's words what p says in those of RPM.
func debSample(p *pkgfmt.Package) {
	p.Arch, p.Section, p.Vendor, p.FileTriggers = "all", "kernel", "", nil
	p.Summary = "driver for foo, as source"
	p.Relations = pkgfmt.Relations{
		Depends:    []string{"dkms-hook | dkms (>= 2.1.0.0)", "kmod:any"},
		Recommends: []string{"gcc"},
		Suggests:   []string{"mokutil (>= 0.3)"},
		Conflicts:  []string{"foo-modules-legacy"},
		Breaks:     []string{"foo-utils (<< 1:1.0~)"},
		Replaces:   []string{"foo-old (<= 0.9)"},
		Provides:   []string{"foo-modules (= 1:1.0~rc1-2)"},
		Enhances:   []string{"foo-tools"},
	}
	p.Fields = map[string]string{"Multi-Arch": "foreign", "Priority": "optional", "Pre-Depends": "debconf (>= 0.5) | debconf-2.0"}
	p.Triggers = []string{"interest-noawait /lib/modules", "activate-await update-initramfs"}
	p.Scripts = map[string]string{
		"preinst": "#!/bin/sh\nset -e\n#pre\n", "postinst": "#!/bin/sh\nset -e\n#post\n",
		"prerm": "#!/bin/sh\nset -e\n#prerm\n", "postrm": "#!/bin/sh\nset -e\n#postrm\n",
	}
	p.Files = append(p.Files, pkgfmt.File{
		Path: "/usr/share/doc/foo-dkms/copyright", Kind: pkgfmt.Licence, Mode: 0o644,
		Data: []byte("Copyright 2023 Ada Example\n\nThis is free software under the GPL, see /usr/share/common-licenses/GPL-2.\n"),
	})
}

func sampleFiles() []pkgfmt.File {
	return []pkgfmt.File{
		{Path: "/etc/modprobe.d/foo.conf", Kind: pkgfmt.Config, Mode: 0o644, Data: []byte("options foo a=1\n")},
		{Path: "/usr/share/doc/foo-dkms/README", Kind: pkgfmt.Doc, Mode: 0o644, Data: []byte("Read me.\n")},
		{Path: "/usr/share/licenses/foo-dkms/COPYING", Kind: pkgfmt.Licence, Mode: 0o644, Data: []byte("The licence.\n")},
		{Path: "/usr/src/foo-1.0-rc1/Makefile", Mode: 0o644, Data: []byte("obj-m := foo.o\n")},
		{Path: "/usr/src/foo-1.0-rc1/dkms.conf", Mode: 0o644, Data: []byte("PACKAGE_NAME=foo\n")},
		{Path: "/usr/src/foo-1.0-rc1/empty", Kind: pkgfmt.Directory, Mode: 0o755},
		{Path: "/usr/src/foo-1.0-rc1/foo.c", Mode: 0o644, Data: bytes.Repeat([]byte("/* nothing */\n"), 200)},
		{Path: "/usr/src/foo-1.0-rc1/gen.sh", Mode: 0o755, Data: []byte("#!/bin/sh\n")},
		{Path: "/usr/src/foo-1.0-rc1/same.c", Kind: pkgfmt.Link, Target: "foo.c"},
		{Path: "/usr/src/foo-1.0-rc1/with space [1]*.h", Mode: 0o644},
		{Path: "/var/log/foo.log", Kind: pkgfmt.Ghost, Mode: 0o600},
	}
}

// written puts a package into a new directory and returns the path.
func written(t *testing.T, p pkgfmt.Package, o Options) string {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	path, err := Package(context.Background(), p, o)
	if err != nil {
		t.Fatalf("Package(%s): %v", FileName(p), err)
	}
	return path
}

// bytesOf returns a package's bytes.
func bytesOf(t *testing.T, p pkgfmt.Package) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := To(p, &b); err != nil {
		t.Fatalf("To(%s): %v", FileName(p), err)
	}
	return b.Bytes()
}

// output runs a program that has to succeed.
func output(t *testing.T, args ...string) string {
	t.Helper()
	out, err := try(t, args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// try runs a program, which is skipped over where it is missing; in CI that
// fails.
func try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	pkgtest.Needs(t, args[0])
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC", "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// lines are the lines of a text that say anything.
func lines(s string) []string {
	var out []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
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
