// Package view is how the machine's state is told to people and programs: the
// verdicts of `check`, the rows of `status`, the findings of `doctor`, the line
// that remembers what waits. Each is a function of values that others have found
// out; nothing is looked up here, and nothing changed.
package view
