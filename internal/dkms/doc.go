// Package dkms holds the words that every room shares: Package, KernelID,
// Ref, State and the Error that names an object, its problem and a hint.
//
// It holds no behaviour beyond parsing and printing those words, touches
// nothing outside the process, and imports only the standard library.
package dkms
