// Package initramfs knows the initial RAM file systems of the kernels on disk:
// which program made one, whether it holds a module, and how to make it anew.
//
// It knows no word of DKMS and decides nothing; hooks says when.
package initramfs
