package templates

import "embed"

// Files are the texts that our own packages bring to a machine, and the
// scripts of those packages:
//
//	kernel/      hooks for run-parts: /etc/kernel/NAME.d/dkms
//	lib/         programs that other packages call
//	systemd/     units and presets
//	completion/  for bash, zsh and fish
//	man/         manual pages
//	deb/, rpm/   what dpkg and rpm run, and lintian's and rpmlint's overrides
//
//go:embed framework.conf kernel lib systemd completion man deb rpm
var Files embed.FS
