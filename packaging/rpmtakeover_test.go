//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// otherDKMS is an RPM with what another dkms brings that we bring, too, and
// with the scriptlets that Fedora's packages have for a service.
const otherDKMS = `Name: dkms
Version: 3.2.2
Release: 1
Summary: another one
License: GPL
BuildArch: noarch
%description
x
%install
mkdir -p %{buildroot}/usr/sbin %{buildroot}/etc/kernel/postinst.d %{buildroot}/usr/lib/systemd/system
printf '#!/bin/sh\necho other\n' | tee %{buildroot}/usr/sbin/dkms >%{buildroot}/etc/kernel/postinst.d/dkms
printf '[Service]\nExecStart=/usr/sbin/dkms autoinstall\n[Install]\nWantedBy=multi-user.target\n' >%{buildroot}/usr/lib/systemd/system/dkms.service
%files
%attr(755,root,root) /usr/sbin/dkms
%attr(755,root,root) %config /etc/kernel/postinst.d/dkms
/usr/lib/systemd/system/dkms.service
%post
[ $1 = 1 ] && systemctl --no-reload preset dkms.service || :
%preun
[ $1 = 0 ] && systemctl --no-reload disable --now dkms.service || :
`

// debianCompat says that a Debian has what our package requires.
const debianCompat = `Name: compat
Version: 1
Release: 1
Summary: x
License: x
BuildArch: noarch
Provides: /bin/sh bash binutils coreutils diffutils findutils gawk gcc grep kmod make patch sed elfutils-libelf-devel
%description
x
%files
`

// newRPMHost returns a machine with rpm and dnf in a box.
func newRPMHost(t *testing.T) host {
	t.Helper()
	root, err := filepath.Abs("../build/e2e/rpmroot/root")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(root); err != nil {
		box.Lacks(t, root+": make rpmroot makes it")
	}
	return host{box.NewOn(t, root), t}
}

// dnf runs dnf, which must succeed without a network.
func (h host) dnf(args ...string) {
	h.t.Helper()
	h.Must(append([]string{"dnf", "-y", "-q", "--disablerepo=*", "--setopt=install_weak_deps=0", "--setopt=gpgcheck=0"}, args...)...)
}

// TestRPMTakeOver: whichever is installed, the program, the hooks and the
// service are its own, and the service is enabled: the other one's scriptlets,
// which run later, have not undone it.
func TestRPMTakeOver(t *testing.T) {
	h := newRPMHost(t)
	ours := h.copy(real(t, hook, "0.1.0", pkgfmt.RPM), "/root/dkms-hook.rpm")
	for name, spec := range map[string]string{"dkms": otherDKMS, "compat": debianCompat} {
		h.Write("/root/"+name+".spec", spec)
		h.Must("rpmbuild", "-bb", "--quiet", "--define", "_rpmdir /root/rpms", "/root/"+name+".spec")
	}
	const other, enabled = "/root/rpms/noarch/dkms-3.2.2-1.noarch.rpm", "/etc/systemd/system/multi-user.target.wants/dkms.service"
	h.Write("/usr/lib/systemd/system-preset/10-test.preset", "enable dkms.service\n")
	expect := func(when, unit, hook string) {
		t.Helper()
		if got := string(h.Read("/usr/lib/systemd/system/dkms.service")); !strings.Contains(got, unit) {
			t.Errorf("%s: the service is not that of whoever is there:\n%s", when, got)
		}
		if got := string(h.Read("/etc/kernel/postinst.d/dkms")); !strings.Contains(got, hook) {
			t.Errorf("%s: the hook is not that of whoever is there:\n%s", when, got)
		}
		if !h.Exists(enabled) {
			t.Errorf("%s: the service is not enabled", when)
		}
	}
	h.dnf("install", other, "/root/rpms/noarch/compat-1-1.noarch.rpm")
	expect("another dkms", "ExecStart=/usr/sbin/dkms autoinstall", "echo other")
	h.WriteProgram("/etc/kernel/postinst.d/dkms", "#!/bin/sh\n# changed by hand\n")
	h.dnf("install", "--allowerasing", ours)
	expect("taken over", "ExecStart=/usr/sbin/dkms-hook ", "exec /usr/sbin/dkms-hook ")
	h.Must("rpm", "-V", "dkms-hook")
	if got := string(h.Read("/etc/kernel/postinst.d/dkms.rpmsave")); !strings.Contains(got, "changed by hand") {
		t.Errorf("the hook that was changed by hand is now %q", got)
	}
	h.dnf("reinstall", ours)
	expect("reinstalled", "ExecStart=/usr/sbin/dkms-hook ", "exec /usr/sbin/dkms-hook ")
	h.dnf("install", "--allowerasing", other)
	expect("given back", "ExecStart=/usr/sbin/dkms autoinstall", "echo other")
	h.Must("rpm", "-V", "dkms")
	h.dnf("install", "--allowerasing", ours)
	h.dnf("remove", "dkms-hook")
	for _, path := range []string{enabled, "/etc/kernel/postinst.d/dkms", "/usr/lib/dkms", "/var/lib/dkms", "/etc/dkms"} {
		if h.Exists(path) {
			t.Errorf("%s is left after erasing", path)
		}
	}
}
