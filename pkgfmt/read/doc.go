// Package read takes distribution packages apart: any .deb and any .rpm, by what
// the file holds and not by its name.
//
// Open reads what a package says of itself and which files it brings, Walk goes
// through their contents, Inspect adds what kernel modules and a dkms.conf in it
// say. What is read may be anybody's: sizes are bounded, what contradicts itself
// is an error that names the file and the place in it, and nothing is written
// but a dkms.conf, with what it sources, into a private directory for the time
// that it takes to evaluate it.
//
// Whether a package is a good one is not judged here.
package read
