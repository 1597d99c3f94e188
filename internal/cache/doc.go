// Package cache keeps files by what they were made from: a directory of entries,
// each under a key that the caller computes from all that decides its content.
// What comes out is what went in, by hash, or it is not there.
package cache
