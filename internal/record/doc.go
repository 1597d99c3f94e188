// Package record is what a run leaves on disk about itself: the type that is
// written and read, and the words in it. docs/run-record.md describes it to
// others.
//
// It reads and writes no file: the tree keeps records, hooks fill them in, and
// report makes a page of them.
package record
