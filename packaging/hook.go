package main

import "github.com/dkms-hook/dkms-hook/pkgfmt"

// dkmsLevel is the DKMS whose interface we offer: packages depend on it by
// number. cmd/dkms-hook prints it for `dkms --version`.
const dkmsLevel = "3.4.3"

var hook = product{
	name:    "dkms-hook",
	path:    "/usr/sbin/dkms-hook",
	summary: "rebuild out-of-tree kernel modules for every kernel",
	description: `Rebuilds, verifies, signs and installs the kernel modules that are registered
by their dkms.conf, whenever a kernel, its headers or a module changes: all of
them in one parallel run for each transaction of the package manager.

Called as dkms it speaks the command line of DKMS, on the same tree, so that
packages made for DKMS work as they are. One module that does not compile
breaks neither other modules nor the package manager; dkms-hook check tells
before a reboot whether a module is missing.`,
	texts:       hookTexts,
	links:       hookLinks,
	directories: hookDirectories,
	in:          map[pkgfmt.Format]dialect{pkgfmt.Deb: hookDeb, pkgfmt.RPM: hookRPM},
}

var hookTexts = []text{
	{path: "/etc/kernel/preinst.d/dkms", template: "kernel/preinst", kind: pkgfmt.Config, mode: 0o755},
	{path: "/etc/kernel/postinst.d/dkms", template: "kernel/postinst", kind: pkgfmt.Config, mode: 0o755},
	{path: "/etc/kernel/prerm.d/dkms", template: "kernel/prerm", kind: pkgfmt.Config, mode: 0o755},
	{path: "/etc/kernel/header_postinst.d/dkms", template: "kernel/header_postinst", kind: pkgfmt.Config, mode: 0o755},
	{path: "/usr/lib/dkms/common.postinst", template: "lib/common.postinst", mode: 0o755},
	{path: "/usr/lib/dkms/dkms_autoinstaller", template: "lib/dkms_autoinstaller", mode: 0o755},
	{path: "/usr/lib/kernel/install.d/40-dkms.install", template: "lib/40-dkms.install", mode: 0o755},
	{path: "/usr/lib/systemd/system/dkms.service", template: "systemd/dkms.service", mode: 0o644},
	// Debian enables what a package brings; elsewhere presets say what is.
	{path: "/usr/lib/systemd/system-preset/80-dkms-hook.preset", template: "systemd/80-dkms-hook.preset", mode: 0o644, only: pkgfmt.RPM},
	{path: "/usr/share/man/man5/dkms.conf.5.gz", template: "man/dkms.conf.5", kind: pkgfmt.Doc, mode: 0o644},
	{path: "/usr/share/man/man5/dkms-framework.conf.5.gz", template: "man/dkms-framework.conf.5", kind: pkgfmt.Doc, mode: 0o644},
	{path: "/usr/share/man/man8/dkms-hook.8.gz", template: "man/dkms-hook.8", kind: pkgfmt.Doc, mode: 0o644},
	{path: "/usr/share/doc/dkms-hook/examples/framework.conf", template: "framework.conf", kind: pkgfmt.Doc, mode: 0o644},
}

var hookLinks = map[string]string{
	"/usr/sbin/dkms": "dkms-hook",
	"/usr/share/bash-completion/completions/dkms":    "dkms-hook",
	"/usr/share/fish/vendor_completions.d/dkms.fish": "dkms-hook.fish",
	"/usr/share/man/man8/dkms.8.gz":                  "dkms-hook.8.gz",
}

// hookDirectories are those that are ours with nothing in them, and those of
// others that would be missing, as completionDirectories are; without a format,
// in both.
var hookDirectories = map[string]pkgfmt.Format{
	"/etc/dkms": "", "/etc/dkms/framework.conf.d": "", "/var/lib/dkms": "",
	"/etc/kernel/preinst.d": pkgfmt.RPM, "/etc/kernel/postinst.d": pkgfmt.RPM,
	"/etc/kernel/prerm.d": pkgfmt.RPM, "/etc/kernel/header_postinst.d": pkgfmt.RPM,
}
