// Dkms-hook rebuilds, verifies, signs and installs the kernel modules that are
// registered by their dkms.conf. Called as dkms it speaks the command line of
// DKMS 3.x.
//
// This package holds flags, the choice by argv[0], signals and the exit
// status; what is done is in package hooks.
package main
