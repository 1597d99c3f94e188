// Package operand finds the package that a call is about: one that is registered,
// one in /usr/src, or one that is brought along as a directory, a dkms.conf, an
// archive or an .rpm. What is brought along is brought to its place by the Add
// step, but for what an archive holds and what rpm installs.
package operand
