// Package treetest proves in tests that directory trees are exactly as before:
// it takes snapshots of all that can be seen of them and tells differences. It
// plants files and programs, too.
//
// It is for tests only.
package treetest
