// Package jobserver has any number of makes share one number of jobs, by the
// protocol of GNU make ("POSIX Jobserver" in its manual), and decides what that
// number is.
//
// It runs nothing and knows no word of DKMS: who runs a make acquires a slot
// for it, and hands down what Share returns.
package jobserver
