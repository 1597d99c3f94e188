// Package golden compares in tests what is there with what was once found
// right, in files below testdata. With -update it writes them.
//
// It is for tests only.
package golden
