// Package box makes throw-away roots for end-to-end tests: a private mount
// namespace with an overlay of the live machine, its writes in a tmpfs, and a
// root of its own. Programs that run in a box see a Debian with a compiler and
// kernel headers, and can do what they like to /lib/modules, /usr/src and
// /var/lib/dkms: the machine does not change.
//
// The namespace belongs to one OS thread of the test. When the test ends, in
// whatever way, the thread ends, and the kernel unmounts everything: there is
// no clean-up that could be forgotten. It needs root.
package box
