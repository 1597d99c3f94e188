// Package lint judges what becomes, or is, a package of kernel modules: a
// dkms.conf, a source tree with one, a .deb or an .rpm.
//
// Each Rule has a stable name; Rules is the table that docs/lint-rules.md is
// made of. Nothing of what is judged is trusted: a dkms.conf may start harmless
// programs only (conf.Harmless), a package is unpacked into a private directory,
// without its links and modes, up to fixed limits, and nothing else is written.
package lint
