// Package e2e tests the built program from outside, as root, with real kernel
// headers, real packages and the real DKMS beside it, each run in a throw-away
// root (package box). The tests have the build tag e2e: "make e2e" runs the cut
// that fits into CI, "make e2e-full" all of them, "make bench" the comparison
// of speed.
package e2e
