// Package sched runs a graph of functions: several at a time, each after what
// it needs, with resources that are not shared and failures that stop only
// what depends on them.
//
// It knows nothing of what the functions do, keeps nothing between runs, and
// imports only the standard library.
package sched
