package write

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

func TestDebFields(t *testing.T) {
	t.Parallel()
	deb := written(t, sample(pkgfmt.Deb), Options{})
	for name, want := range map[string]string{
		"Package": "foo-dkms", "Version": "1:1.0~rc1-2", "Architecture": "all", "Section": "kernel", "Priority": "optional",
		"Maintainer": "Ada Example <ada@example.org>", "Homepage": "https://example.org/foo", "Multi-Arch": "foreign",
		"Depends": "dkms-hook | dkms (>= 2.1.0.0), kmod:any", "Pre-Depends": "debconf (>= 0.5) | debconf-2.0", "Recommends": "gcc",
		"Suggests": "mokutil (>= 0.3)", "Conflicts": "foo-modules-legacy", "Breaks": "foo-utils (<< 1:1.0~)", "Replaces": "foo-old (<= 0.9)",
		"Provides": "foo-modules (= 1:1.0~rc1-2)", "Enhances": "foo-tools",
		// A block for each path, another two for foo.c, which has 2800 bytes.
		"Installed-Size": "23",
		"Description": "driver for foo, as source\n The source of the driver for foo, which is compiled for each kernel of the\n" +
			" machine when it comes or when the kernel does.\n .\n It is said to be good, and it knows “quotes” as well.",
	} {
		if diff := cmp.Diff(want, strings.TrimSpace(output(t, "dpkg-deb", "-f", deb, name))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if out := output(t, "dpkg-deb", "-f", deb); strings.Count(out, "Installed-Size") != 1 || strings.Contains(out, "Section: \n") {
		t.Errorf("control:\n%s", out)
	}
}

// TestDebInstalledSize: as du of what is unpacked, as dpkg-gencontrol has it.
func TestDebInstalledSize(t *testing.T) {
	t.Parallel()
	p := sample(pkgfmt.Deb)
	p.Section = ""
	p.Files = append(p.Files, pkgfmt.File{Path: "/usr/src/foo-1.0-rc1/zeros", Mode: 0o644, Data: make([]byte, 10_000)})
	deb := written(t, p, Options{})
	if got := strings.TrimSpace(output(t, "dpkg-deb", "-f", deb, "Installed-Size")); got != "33" {
		t.Errorf("Installed-Size: %s; want 33", got)
	}
	if got := output(t, "dpkg-deb", "-f", deb); strings.Contains(got, "Section") {
		t.Errorf("a section of nothing:\n%s", got)
	}
}

func TestDebFiles(t *testing.T) {
	t.Parallel()
	deb := written(t, sample(pkgfmt.Deb), Options{})
	var got []string
	for _, line := range lines(output(t, "dpkg-deb", "-c", deb)) {
		f := strings.Fields(line)
		if f[3] != "2023-11-14" {
			t.Errorf("is of another time: %s", line)
		}
		got = append(got, strings.Join(append(f[:3:3], f[5:]...), " "))
	}
	want := []string{
		"drwxr-xr-x root/root 0 ./etc/",
		"drwxr-xr-x root/root 0 ./etc/modprobe.d/",
		"-rw-r--r-- root/root 16 ./etc/modprobe.d/foo.conf",
		"drwxr-xr-x root/root 0 ./usr/",
		"drwxr-xr-x root/root 0 ./usr/share/",
		"drwxr-xr-x root/root 0 ./usr/share/doc/",
		"drwxr-xr-x root/root 0 ./usr/share/doc/foo-dkms/",
		"-rw-r--r-- root/root 9 ./usr/share/doc/foo-dkms/README",
		"-rw-r--r-- root/root 238 ./usr/share/doc/foo-dkms/changelog.Debian.gz",
		"-rw-r--r-- root/root 103 ./usr/share/doc/foo-dkms/copyright",
		"drwxr-xr-x root/root 0 ./usr/share/licenses/",
		"drwxr-xr-x root/root 0 ./usr/share/licenses/foo-dkms/",
		"-rw-r--r-- root/root 13 ./usr/share/licenses/foo-dkms/COPYING",
		"drwxr-xr-x root/root 0 ./usr/src/",
		"drwxr-xr-x root/root 0 ./usr/src/foo-1.0-rc1/",
		"-rw-r--r-- root/root 15 ./usr/src/foo-1.0-rc1/Makefile",
		"-rw-r--r-- root/root 17 ./usr/src/foo-1.0-rc1/dkms.conf",
		"drwxr-xr-x root/root 0 ./usr/src/foo-1.0-rc1/empty/",
		"-rw-r--r-- root/root 2800 ./usr/src/foo-1.0-rc1/foo.c",
		"-rwxr-xr-x root/root 10 ./usr/src/foo-1.0-rc1/gen.sh",
		"lrwxrwxrwx root/root 0 ./usr/src/foo-1.0-rc1/same.c -> foo.c",
		"-rw-r--r-- root/root 0 ./usr/src/foo-1.0-rc1/with space [1]*.h",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestDebUnpacks: what dpkg unpacks has the bytes that went in, and md5sums
// says so.
func TestDebUnpacks(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"", "gzip", "xz", "zstd", "none"} {
		p := sample(pkgfmt.Deb)
		p.Compression.Algorithm = algorithm
		deb, root := written(t, p, Options{}), t.TempDir()
		output(t, "dpkg-deb", "-R", deb, root)
		for _, f := range p.Files {
			if f.Kind == pkgfmt.Directory || f.Kind == pkgfmt.Link || f.Kind == pkgfmt.Ghost {
				continue
			}
			if got, err := os.ReadFile(filepath.Join(root, f.Path)); err != nil || string(got) != string(f.Data) {
				t.Errorf("%s: %s: %d bytes, %v; want %d", algorithm, f.Path, len(got), err, len(f.Data))
			}
		}
		sums := filepath.Join(root, "DEBIAN/md5sums")
		if out := output(t, "sh", "-c", `cd "$1" && md5sum -c DEBIAN/md5sums`, "sh", root); strings.Count(out, ": OK") != 10 {
			t.Errorf("%s: %s:\n%s", algorithm, sums, out)
		}
	}
}

func TestDebControlFiles(t *testing.T) {
	t.Parallel()
	p := sample(pkgfmt.Deb)
	deb := written(t, p, Options{})
	want := map[string]string{
		"conffiles": "/etc/modprobe.d/foo.conf\n",
		"triggers":  "interest-noawait /lib/modules\nactivate-await update-initramfs\n",
	}
	for name, text := range p.Scripts {
		want[name] = text
	}
	for name, text := range want {
		if diff := cmp.Diff(text, output(t, "dpkg-deb", "-I", deb, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	tar := output(t, "sh", "-c", `dpkg-deb --ctrl-tarfile "$1" | tar -tv`, "sh", deb)
	for _, line := range lines(tar) {
		f := strings.Fields(line)
		mode := "-rw-r--r--"
		if _, script := p.Scripts[strings.TrimPrefix(f[5], "./")]; script {
			mode = "-rwxr-xr-x"
		}
		if f[0] != mode || f[1] != "root/root" || f[3] != "2023-11-14" {
			t.Errorf("control.tar: %s; want %s root/root of 2023-11-14", line, mode)
		}
	}
}

func TestDebChangelog(t *testing.T) {
	t.Parallel()
	native := sample(pkgfmt.Deb)
	native.Version.Revision, native.Changes = "", native.Changes[:1]
	brought := sample(pkgfmt.Deb)
	brought.Files = append(brought.Files, pkgfmt.File{Path: "/usr/share/doc/foo-dkms/changelog.Debian.gz", Kind: pkgfmt.Doc, Mode: 0o644, Data: []byte("mine")})
	const first = `foo-dkms (1:1.0~rc1-2) unstable; urgency=medium

  * A change that takes many words to be told, so many that they do not go into
    one line of a changelog.
  * Another.

 -- Ada Example <ada@example.org>  Tue, 14 Nov 2023 22:13:20 +0000
`
	const second = `
foo-dkms (0.9-1) unstable; urgency=medium

  * First.

 -- Bob <bob@example.org>  Mon, 14 Nov 2022 22:13:20 +0000
`
	for _, tt := range []struct {
		name, file string
		p          pkgfmt.Package
		want       string
	}{
		{"with a revision", "changelog.Debian.gz", sample(pkgfmt.Deb), first + second},
		{"without", "changelog.gz", native, first},
	} {
		root := t.TempDir()
		output(t, "dpkg-deb", "-x", written(t, tt.p, Options{}), root)
		got := output(t, "zcat", filepath.Join(root, "/usr/share/doc/foo-dkms", tt.file))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("changelog %s (-want +got):\n%s", tt.name, diff)
		}
	}
	root := t.TempDir()
	output(t, "dpkg-deb", "-x", written(t, brought, Options{}), root)
	if got, err := os.ReadFile(filepath.Join(root, "/usr/share/doc/foo-dkms/changelog.Debian.gz")); err != nil || string(got) != "mine" {
		t.Errorf("the package's own changelog: %q, %v", got, err)
	}
}

// TestDebChangelogAsDpkg: Debian's own program reads it without a complaint.
func TestDebChangelogAsDpkg(t *testing.T) {
	t.Parallel()
	p := sample(pkgfmt.Deb)
	root := t.TempDir()
	output(t, "dpkg-deb", "-x", written(t, p, Options{}), root)
	got := output(t, "sh", "-c", `zcat "$1" | dpkg-parsechangelog -l - --all`, "sh", filepath.Join(root, "usr/share/doc/foo-dkms/changelog.Debian.gz"))
	for _, want := range []string{
		"Source: foo-dkms\n", "Version: 1:1.0~rc1-2\n", "Maintainer: Ada Example <ada@example.org>\n", "Timestamp: 1700000000\n",
		"   * Another.\n", " foo-dkms (0.9-1) unstable; urgency=medium\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("dpkg-parsechangelog has no %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "warning") {
		t.Errorf("dpkg-parsechangelog:\n%s", got)
	}
}

// TestDebCompression: the member has the name that dpkg-deb looks for.
func TestDebCompression(t *testing.T) {
	t.Parallel()
	for algorithm, want := range map[string]string{
		"": "data.tar.xz", "gzip": "data.tar.gz", "xz": "data.tar.xz", "zstd": "data.tar.zst", "none": "data.tar",
	} {
		p := sample(pkgfmt.Deb)
		p.Compression.Algorithm = algorithm
		got := lines(output(t, "ar", "t", written(t, p, Options{})))
		if diff := cmp.Diff([]string{"debian-binary", "control.tar.gz", want}, got); diff != "" {
			t.Errorf("members with %q (-want +got):\n%s", algorithm, diff)
		}
	}
}

// TestLintian: what the sample leaves out on purpose is the only thing that it
// says.
func TestLintian(t *testing.T) {
	t.Parallel()
	out, _ := try(t, "lintian", "--allow-root", "--no-cfg", "--fail-on", "error", "--suppress-tags",
		strings.Join([]string{"maintainer-script-empty", "maintainer-script-ignores-errors", "no-copyright-file", "copyright-without-copyright-notice", "package-installs-into-etc-modprobe.d"}, ","),
		written(t, sample(pkgfmt.Deb), Options{}))
	for _, line := range lines(out) {
		if strings.HasPrefix(line, "E:") {
			t.Errorf("lintian: %s", line)
		}
	}
}
