// Package script runs the command line as people and scripts do: each file in
// testdata is a session, with real builds against the headers of this machine
// and throw-away directories for everything that is written.
package script
