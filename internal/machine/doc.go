// Package machine is what a run knows of the machine that it is about: its
// settings, the kernels on disk, the packages, what a dkms.conf says for a
// kernel, what a build would be made from, where its modules go. What is asked
// for often is found out once.
//
// It only reads, and decides nothing: what shall be is for others to say.
package machine
