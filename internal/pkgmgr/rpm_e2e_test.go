//go:build e2e

package pkgmgr

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// newFedora returns a box with the real rpm and dnf, and the helper in it.
func newFedora(t *testing.T) *box.Box {
	t.Helper()
	root, err := filepath.Abs("../../build/e2e/rpmroot")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, ".made")); err != nil {
		box.Lacks(t, root+": tools/rpmroot makes it")
	}
	b := box.NewOn(t, filepath.Join(root, "root"))
	helper, err := os.ReadFile(plainSelf(t))
	if err != nil {
		t.Fatal(err)
	}
	b.WriteProgram("/usr/bin/helper", string(helper))
	return b
}

// spec makes a package in the box, and returns its path there. For rpm there
// is no shell in the box: each package says that it brings one.
func spec(b *box.Box, name, version, rest string) string {
	path := fmt.Sprintf("/root/%s-%s.spec", name, version)
	b.Write(path, fmt.Sprintf("Name: %s\nVersion: %s\nRelease: 1.fc99\nSummary: for a test\nLicense: none\n"+
		"AutoReqProv: no\nProvides: /bin/sh\nBuildArch: noarch\n%%description\nfor a test\n%s", name, version, rest))
	b.Must("rpmbuild", "-bb", "--define", "_rpmdir /root", path)
	return fmt.Sprintf("/root/noarch/%s-%s-1.fc99.noarch.rpm", name, version)
}

// TestRPM has scriptlets of the real rpm, by itself and below dnf, ask who
// calls them, and the real database who owns a kernel.
func TestRPM(t *testing.T) {
	b := newFedora(t)
	const release = "6.0.1-200.fc99.x86_64"
	const scriptlets = `%post
PKGMGR_TEST_HELPER=caller /usr/bin/helper /var/log/caller post "$@"
:
%preun
PKGMGR_TEST_HELPER=caller /bin/sh -c '/usr/bin/helper "$@"; :' - /var/log/caller preun "$@"
:
%posttrans
PKGMGR_TEST_HELPER=caller /usr/bin/helper /var/log/caller posttrans "$@"
:
%files
`
	foo := spec(b, "foo", "1", scriptlets)
	foo2 := spec(b, "foo", "2", scriptlets)
	kernel := spec(b, "kernel-core", "6.0.1", "%install\nmkdir -p %{buildroot}/lib/modules/"+release+"/kernel\n%files\n/lib/modules/"+release+"\n")
	b.Must("rpm", "-i", "--nodeps", "--force-debian", foo, kernel)
	state := func(pkg string, want State) {
		t.Helper()
		if got := b.RunWith([]string{helperEnv + "=state"}, "/usr/bin/helper", pkg).Stdout; got != string(want) {
			t.Errorf("PackageState(%q) = %q; want %q", pkg, got, want)
		}
	}
	state("foo", Settled)
	state("fo", Absent)
	for of, want := range map[string]string{release: "kernel-devel-6.0.1-1.fc99", "6.0.2": ""} {
		if got := b.RunWith([]string{helperEnv + "=headers"}, "/usr/bin/helper", of).Stdout; got != want {
			t.Errorf("HeadersPackage(%q) = %q; want %q", of, got, want)
		}
	}
	b.Must("dnf", "-y", "--releasever=99", "--setopt=gpgcheck=0", "--setopt=reposdir=/dev/null", "install", foo2)
	b.Must("rpm", "-e", "--nodeps", "--force-debian", "foo")
	state("foo", Absent)

	var all []string
	for line := range strings.Lines(string(b.Read("/var/log/caller"))) {
		var one callerLogged
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Join(one.Truth, " "))
		stays := one.Truth[1] != "0"
		if want := (Script{Manager: RPM, Args: one.Truth[1:]}); !cmp.Equal(one.Script, want) || one.Replacing != stays {
			t.Errorf("Caller in %q = %+v, replacing %v; want %+v, %v", one.Truth, one.Script, one.Replacing, want, stays)
		}
	}
	want := []string{"post 1", "posttrans 1", "post 2", "preun 1", "posttrans 2", "preun 0"}
	for i, s := range want { // what rpm hands to %posttrans differs between its versions
		if strings.HasPrefix(s, "posttrans ") && i < len(all) && strings.HasPrefix(all[i], "posttrans ") {
			want[i] = all[i]
		}
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("scriptlets that asked (-want +got):\n%s", diff)
	}
}
