// Package cmdline is what our programs' command lines have in common: the order
// in which words may come, and how a flag looks in the help.
package cmdline
