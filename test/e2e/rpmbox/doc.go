// Package rpmbox makes throw-away hosts for end-to-end tests, in which the real
// rpm, dnf and kernel-install work: kernels and their headers are stubs, named as
// Fedora names them, around Debian's real headers.
//
// They are overlays of what tools/rpmroot makes.
package rpmbox
