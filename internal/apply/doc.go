// Package apply carries out the steps of a plan: it registers, builds, installs
// and removes, indexes a kernel's modules and has its initial RAM file system
// made anew. It runs them as a graph, takes back what cannot be finished, and
// has the tree remember what failed.
//
// What is to be done has been decided before (internal/plan), and how it went is
// for an Observer to tell. Builds are ordered from a Builder.
package apply
