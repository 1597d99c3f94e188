package read_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
	"github.com/dkms-hook/dkms-hook/pkgfmt/read"
	"github.com/dkms-hook/dkms-hook/pkgfmt/readtest"
)

// sampleSpec is a package with all that an RPM can have.
const sampleSpec = `Name: sample
Version: 2.0~rc1
Release: 3.fc99
Epoch: 1
Summary: a sample
License: GPL-2.0-only
Group: System/Kernel
URL: https://example.org
Vendor: Example
Packager: A. Tester <a@example.org>
BuildArch: noarch
AutoReqProv: no
Requires: kmod >= 30, make
Requires: (dkms-hook or dkms >= 3.0)
Requires(pre): /bin/sh
Requires(post,postun): coreutils = 0:9.0-1
Requires(pretrans): /usr/bin/true
Requires(posttrans): /usr/bin/true
Requires(verify): diffutils
Requires(meta): other
PreReq: sed
OrderWithRequires: systemd
OrderWithRequires(post): dbus
Recommends: openssl
Suggests: mokutil > 0.5
Supplements: (sample-ui and kernel)
Enhances: kernel < 7
Conflicts: sample-dkms <= 1.0
Obsoletes: old-sample < 1:2.0
Provides: sample-kmod = %{epoch}:%{version}-%{release}
Provides: kernel(printk) = 0x12345678

%description
It says
nothing.

%prep
%build
%install
mkdir -p %{buildroot}/etc %{buildroot}/usr/src/sample-2.0 %{buildroot}/usr/share/doc/sample %{buildroot}/usr/share/licenses/sample %{buildroot}/var/lib/sample
echo x=1 > %{buildroot}/etc/sample.conf
echo y=1 > %{buildroot}/etc/other.conf
echo 'int a;' > '%{buildroot}/usr/src/sample-2.0/a.c'
ln %{buildroot}/usr/src/sample-2.0/a.c %{buildroot}/usr/src/sample-2.0/b.c
ln %{buildroot}/usr/src/sample-2.0/a.c %{buildroot}/usr/src/sample-2.0/0.c
ln -s ../elsewhere %{buildroot}/usr/src/sample-2.0/link
: > %{buildroot}/usr/src/sample-2.0/empty
echo doc > %{buildroot}/usr/share/doc/sample/README
echo licence > %{buildroot}/usr/share/licenses/sample/COPYING
head -c 100000 /dev/zero > %{buildroot}/usr/src/sample-2.0/zeros

%pretrans -p <lua>
print("hello")
%pre
exit 0
%post -p /sbin/ldconfig
%preun
if [ "$1" = 0 ]; then
  echo gone

fi
%postun -p /usr/bin/perl
1;
%posttrans
: trans
%verifyscript
: verify

%triggerprein -- bash
: prein
%triggerin -- bash, kernel >= 6.1
: in
%triggerun -p /usr/bin/perl -- bash < 2
: un
%triggerpostun -- zsh
: postun
%filetriggerin -- /usr/lib/modules /lib/modules
: filein
%filetriggerun -P 100 -- /usr/src
: fileun
%filetriggerpostun -- /usr/src
: filepostun
%transfiletriggerin -P 2000000 -- /usr/src
cat
%transfiletriggerun -- /usr/src
: transun
%transfiletriggerpostun -p <lua> -- /usr/src /boot
print("x")

%files
%dir %attr(0750, daemon, adm) /usr/src/sample-2.0
/usr/src/sample-2.0/*
%attr(4755, root, root) /usr/src/sample-2.0/empty
%config(noreplace) /etc/sample.conf
%config(missingok) /etc/other.conf
%doc /usr/share/doc/sample/README
%license /usr/share/licenses/sample/COPYING
%ghost %attr(0644, root, root) /var/lib/sample/state

%changelog
* Tue Feb 03 2026 A. Tester <a@example.org> - 1:2.0~rc1-3
- One.
  And more.
- Two.
* Mon Feb 02 2026 B <b@example.org> - 1.0-1
- Old.
`

// built returns the path of what rpmbuild makes of a spec, source RPM included.
func built(t testing.TB, spec string, defines ...string) (binary, source string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "sample.spec")
	if err := os.WriteFile(path, []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"rpmbuild", "-ba", "--quiet", "--define", "_topdir " + dir, "--define", "_dbpath " + dir + "/db"}
	for _, d := range defines {
		args = append(args, "--define", d)
	}
	pkgtest.Needs(t, "rpmbuild")
	cmd := exec.Command(args[0], append(args[1:], path)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("rpmbuild: %v\n%s", err, out)
	}
	for _, file := range []*string{&binary, &source} {
		pattern := filepath.Join(dir, map[*string]string{&binary: "RPMS/*/*.rpm", &source: "SRPMS/*.rpm"}[file])
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		*file = found[0]
	}
	return binary, source
}

// TestAsRPM: rpm and inspect say the same.
func TestAsRPM(t *testing.T) {
	t.Parallel()
	binary, source := built(t, sampleSpec)
	r := readtest.Agree(t, binary)
	want := &read.ChangeReport{Version: "1:2.0~rc1-3", Author: "A. Tester <a@example.org>", Time: "2026-02-03T12:00:00Z",
		Lines: []string{"- One.", "  And more.", "- Two."}}
	if diff := cmp.Diff(want, r.Change); diff != "" {
		t.Errorf("newest change (-want +got):\n%s", diff)
	}
	if r := readtest.Agree(t, source); r.Format != "src.rpm" || r.Arch != "src" {
		t.Errorf("the source package is %s of %s; want src.rpm of src", r.Format, r.Arch)
	}
}

// TestPayloads: every compression that rpmbuild has can be read.
func TestPayloads(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"w9.gzdio", "w6.xzdio", "w19.zstdio", "w9.bzdio", "w9.lzdio", "w.ufdio"} {
		binary, _ := built(t, sampleSpec, "_binary_payload "+mode, "_source_payload "+mode)
		r := readtest.Agree(t, binary)
		t.Log(mode, r.Compression)
	}
}
