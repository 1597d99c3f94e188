// Package system is the only door to the machine: it runs commands, takes
// locks, writes files so that a crash leaves the old or the new one, copies
// trees, and makes private views of the file system.
//
// It knows nothing of DKMS. Rooms that need less than all of it declare their
// own small interface.
package system
