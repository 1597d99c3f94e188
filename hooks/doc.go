// Package hooks turns what happened into what is done: it takes a command or an
// Event, works out what is wanted, compares it with what is there, applies the
// difference and reports, each through a room of its own (docs/architecture.md).
//
// It is where the rooms meet; it holds the order of things and no knowledge of
// formats, compilers or layouts.
package hooks
