// Package bench measures the program beside the real DKMS and beside bare make,
// as root, in overlays of one Debian with two kernels (tools/benchroot): wall
// and CPU time, memory, and how time grows with the number of packages.
//
// Here are what measures and what shows it; the measurements themselves are
// benchmarks with the build tag e2e, which "make bench-dkms" runs. A test of
// the same tag proves that parallel runs make the same modules: it belongs to
// "make e2e" and "make e2e-full".
package bench
