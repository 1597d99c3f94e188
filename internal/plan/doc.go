// Package plan decides what must be done so that the machine has what is
// wanted: Diff compares the two and returns a Plan, a list of Steps in an order
// that can be run, each with the reason for it.
//
// It is pure: no files, no clock, no commands. Equal inputs give equal plans.
package plan
