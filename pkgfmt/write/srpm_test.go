package write

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
)

// sourceSample is a source package that rpmbuild can build.
func sourceSample(t *testing.T) pkgfmt.Package {
	t.Helper()
	const spec = `Name: foo
Version: 1.0
Release: 1
Summary: Foo
License: GPL-2.0-only
BuildArch: noarch
Source0: foo.txt
Source1: foo.conf
Patch0: one.patch
%description
Foo.
%prep
cp %{SOURCE0} %{SOURCE1} .
%patch0 -p1
%install
install -D -m 644 foo.txt %{buildroot}/usr/share/foo/foo.txt
%files
/usr/share/foo
`
	const patch = "--- a/foo.txt\n+++ b/foo.txt\n@@ -1 +1 @@\n-old\n+new\n"
	source := filepath.Join(t.TempDir(), "foo.txt")
	writeFile(t, source, "old\n")
	return pkgfmt.Package{
		Format: pkgfmt.SourceRPM, Name: "foo", Version: pkgfmt.Version{Upstream: "1.0", Revision: "1"}, Arch: "noarch",
		Summary: "Foo", License: "GPL-2.0-only", Time: when,
		Relations: pkgfmt.Relations{Depends: []string{"make"}},
		Files: []pkgfmt.File{
			{Path: "/SOURCES/foo.conf", Mode: 0o644, Data: []byte("a\n")},
			{Path: "/SOURCES/foo.txt", Mode: 0o644, Source: source, Size: 4},
			{Path: "/SOURCES/one.patch", Mode: 0o644, Data: []byte(patch)},
			{Path: "/SPECS/foo.spec", Mode: 0o644, Data: []byte(spec)},
		},
	}
}

// TestSourceRPM: rpm and file take it for a source package.
func TestSourceRPM(t *testing.T) {
	t.Parallel()
	file := written(t, sourceSample(t), Options{})
	if got, want := filepath.Base(file), "foo-1.0-1.src.rpm"; got != want {
		t.Errorf("file name %s; want %s", got, want)
	}
	const format = `%{NAME} %{VERSION} %{RELEASE} %{ARCH} %{SOURCERPM} %{SOURCEPACKAGE} [%{SOURCE},] [%{PATCH},] [%{REQUIRES},] [%{PROVIDES}]\n[%{FILENAMES} %{FILEMODES:octal} %{FILEFLAGS:fflags}\n]`
	want := []string{
		"foo 1.0 1 noarch (none) 1 foo.conf,foo.txt, one.patch, make,rpmlib(CompressedFileNames),rpmlib(FileDigests),rpmlib(PayloadIsZstd),",
		"foo.conf 100644", "foo.spec 100644 s", "foo.txt 100644", "one.patch 100644",
	}
	if diff := cmp.Diff(want, query(t, file, format)); diff != "" {
		t.Errorf("rpm -qp (-want +got):\n%s", diff)
	}
	head := bytesOf(t, sourceSample(t))[:96]
	if head[6] != 0 || head[7] != 1 {
		t.Errorf("the lead is of type %d; want 1", head[7])
	}
	output(t, "rpm", "-K", file)
}

// TestSourceRPMUnpacks: rpm -i puts the files where rpmbuild looks for them.
func TestSourceRPMUnpacks(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"", "gzip", "xz", "none"} {
		p := sourceSample(t)
		p.Compression.Algorithm = algorithm
		file, top := written(t, p, Options{}), t.TempDir()
		output(t, "rpm", "--define", "_topdir "+top, "--dbpath", filepath.Join(top, "db"), "-i", file)
		for _, f := range p.Files {
			want := string(f.Data)
			if f.Source != "" {
				want = "old\n"
			}
			if got, err := os.ReadFile(filepath.Join(top, f.Path)); err != nil || string(got) != want {
				t.Errorf("%s: %s: %q, %v; want %q", algorithm, f.Path, got, err, want)
			}
		}
	}
}

// TestSourceRPMRebuilds: rpmbuild makes the package of it.
func TestSourceRPMRebuilds(t *testing.T) {
	t.Parallel()
	pkgtest.Needs(t, "rpmbuild")
	p := sourceSample(t)
	p.Relations.Depends = nil // there is no database that has make
	file, top := written(t, p, Options{}), t.TempDir()
	output(t, "rpmbuild", "--define", "_topdir "+top, "--dbpath", filepath.Join(top, "db"), "--rebuild", file)
	made := filepath.Join(top, "RPMS/noarch/foo-1.0-1.noarch.rpm")
	if got := output(t, "sh", "-c", `rpm2cpio "$1" | cpio -i --quiet --to-stdout ./usr/share/foo/foo.txt`, "sh", made); !strings.Contains(got, "new") {
		t.Errorf("what rpmbuild made holds %q", got)
	}
}
