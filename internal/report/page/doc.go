// Package page makes a page of HTML of a run, for people who would rather look
// than read: what became of it, when what was built, the states, the failures.
//
// It is one file without scripts and without a network, for wide screens,
// telephones and paper. What comes from outside is escaped, and what would
// steer the text is replaced. It is well-formed XML, too.
package page
