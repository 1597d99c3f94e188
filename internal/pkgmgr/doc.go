// Package pkgmgr asks and tells the distribution's package manager, dpkg or
// rpm: which maintainer script called us and why, who owns a kernel, whether a
// package is settled; and it activates dpkg triggers.
//
// It knows no word of DKMS and decides nothing; hooks does.
package pkgmgr
