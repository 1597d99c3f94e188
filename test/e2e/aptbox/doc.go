// Package aptbox makes throw-away Debians for end-to-end tests, in which the real
// apt and dpkg install kernels and engines, and tells what came of it: which
// modules are there, and whether dpkg is done.
//
// They are overlays of what tools/rootfs makes.
package aptbox
