// Package hooks turns what happened into what is done: it takes an Event (today
// a person's command; kernel, package and boot events go the same way), works
// out what is wanted, compares it with what is there, and applies the
// difference through the other rooms.
//
// It is where the rooms meet; it holds the order of things and no knowledge of
// formats, compilers or layouts.
package hooks
