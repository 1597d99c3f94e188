// Package call is a command as a person, or an installed script, gave it: which
// words it has, and which kernels and package they name. Nothing is looked up but
// what the running kernel is called.
package call
