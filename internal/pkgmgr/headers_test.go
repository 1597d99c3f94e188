package pkgmgr

import (
	"path/filepath"
	"testing"
)

// TestHeadersPackageDpkg asks the real dpkg about packages that hold what
// those of the named distributions do.
func TestHeadersPackageDpkg(t *testing.T) {
	r := newDpkgRoot(t, false)
	t.Setenv("DPKG_ADMINDIR", filepath.Join(r.dir, "var/lib/dpkg"))
	for _, d := range []deb{
		{name: "linux-image-6.1.0-9-amd64", files: []string{"/boot/vmlinuz-6.1.0-9-amd64", "/lib/modules/6.1.0-9-amd64/kernel/a.ko"}},
		{name: "linux-headers-6.1.0-9-amd64", files: []string{"/lib/modules/6.1.0-9-amd64/build"}},
		{name: "linux-image-6.12.1-amd64-unsigned", files: []string{"/boot/vmlinuz-6.12.1-amd64", "/usr/lib/modules/6.12.1-amd64/kernel/a.ko.xz"}},
		{name: "linux-modules-7.2.13+deb14-amd64", files: []string{"/usr/lib/modules/7.2.13+deb14-amd64/kernel/a.ko.xz"}},
		{name: "linux-binary-7.3-arm64", files: []string{"/usr/lib/modules/7.3-arm64/vmlinuz"}},
		{name: "linux-modules-6.8.0-31-generic", files: []string{"/lib/modules/6.8.0-31-generic/kernel/a.ko.zst"}},
		{name: "linux-modules-extra-6.8.0-31-generic", files: []string{"/lib/modules/6.8.0-31-generic/kernel/b.ko.zst"}},
		{name: "linux-modules-a-nvidia-535-6.8.0-31-generic", files: []string{"/lib/modules/6.8.0-31-generic/kernel/nvidia/n.ko"}},
		{name: "proxmox-kernel-6.8.4-2-pve-signed", files: []string{"/boot/vmlinuz-6.8.4-2-pve"}},
		{name: "linux-image-5.5", files: []string{"/boot/vmlinuz-5.5.0-mine"}},
		{name: "raspberrypi-kernel", files: []string{"/lib/modules/6.1.21-v8+/kernel/a.ko"}},
		{name: "only-headers", files: []string{"/lib/modules/1.2.3/build"}},
		{name: "stranger", files: []string{"/lib/modules/4.5.6/kernel/a.ko"}},
	} {
		d.version = "1"
		if !r.dpkg(t, nil, "-i", d.build(t)) {
			t.Fatalf("%s cannot be installed", d.name)
		}
	}
	// A removed kernel whose postrm stays is no owner.
	gone := deb{name: "linux-image-3.3", version: "1", files: []string{"/boot/vmlinuz-3.3"}, scripts: map[string]string{"postrm": ":\n"}}
	if !r.dpkg(t, nil, "-i", gone.build(t)) || !r.dpkg(t, nil, "--remove", gone.name) || r.status(t, gone.name) != "config-files" {
		t.Fatalf("%s cannot be installed and removed", gone.name)
	}
	for release, want := range map[string]string{
		"3.3":                "",
		"6.1.0-9-amd64":      "linux-headers-6.1.0-9-amd64",
		"6.12.1-amd64":       "linux-headers-6.12.1-amd64",
		"7.2.13+deb14-amd64": "linux-headers-7.2.13+deb14-amd64",
		"7.3-arm64":          "linux-headers-7.3-arm64",
		"6.8.0-31-generic":   "linux-headers-6.8.0-31-generic",
		"6.8.4-2-pve":        "proxmox-headers-6.8.4-2-pve",
		"6.1.21-v8+":         "raspberrypi-kernel-headers",
		"5.5.0-mine":         "linux-headers-5.5",
		"1.2.3":              "",
		"4.5.6":              "",
		"9.9.9":              "",
		"*":                  "",
		"6.1.0-9-amd6?":      "",
		"../6.1.0-9-amd64":   "",
		"..":                 "",
		"":                   "",
	} {
		if got := HeadersPackage(t.Context(), release); got != want {
			t.Errorf("HeadersPackage(%q) = %q; want %q", release, got, want)
		}
	}
}

func TestDebHeadersDiverted(t *testing.T) {
	t.Parallel()
	found := "diversion by linux-image-x from: /boot/vmlinuz-9\ndiversion by linux-image-x to: /boot/vmlinuz-9.old\n" +
		"linux-image-9:amd64: /boot/vmlinuz-9\n"
	if got, want := debHeaders(found, "9"), "linux-headers-9"; got != want {
		t.Errorf("debHeaders = %q; want %q", got, want)
	}
}

func TestRPMHeadersOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ owner, version, vendor, want string }{
		{"kernel-core", "6.0.1-200.fc99", "Fedora Project", "kernel-devel-6.0.1-200.fc99"},
		{"kernel-modules-core", "6.0.1-200.fc99", "Fedora Project", "kernel-devel-6.0.1-200.fc99"},
		{"kernel-modules", "6.0.1-1", "", "kernel-devel-6.0.1-1"},
		{"kernel-debug-modules-extra", "6.0.1-1", "", "kernel-debug-devel-6.0.1-1"},
		{"kernel-rt-core", "5.14.0-1.el9", "Red Hat, Inc.", "kernel-rt-devel-5.14.0-1.el9"},
		{"kernel-64k-modules-core", "5.14.0-1.el9", "", "kernel-64k-devel-5.14.0-1.el9"},
		{"kernel-ml", "6.9.1-1.el7.elrepo", "", "kernel-ml-devel-6.9.1-1.el7.elrepo"},
		{"kernel-uek-core", "5.15.0-1.el9uek", "Oracle America", "kernel-uek-devel-5.15.0-1.el9uek"},
		{"kernel", "3.10.0-1.el7", "CentOS", "kernel-devel-3.10.0-1.el7"},
		{"kernel-default", "6.4.0-150600.21.1", "SUSE LLC <https://www.suse.com/>", "kernel-default-devel=6.4.0-150600.21.1"},
		{"kernel-default-base", "6.9.1-1.1", "openSUSE", "kernel-default-devel=6.9.1-1.1"},
		{"kernelshark", "1-1", "", ""},
		{"file", "/boot/vmlinuz-x", "is not owned by any package", ""},
	} {
		if got := rpmHeadersOf(c.owner, c.version, c.vendor); got != c.want {
			t.Errorf("rpmHeadersOf(%q, %q, %q) = %q; want %q", c.owner, c.version, c.vendor, got, c.want)
		}
	}
}
