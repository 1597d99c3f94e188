// Package arch tests how the project is built up: which room may import which,
// and what the program that runs as root links. The linter has the same rules;
// these hold without it.
package arch
