// Package tree is the DKMS tree on disk, /var/lib/dkms, and what of it shows
// in /lib/modules: where everything lies, what state it is in, and the atomic
// steps from one state to the next.
//
// A tree that the shell program dkms wrote can be used here and the other way
// round, so everything of ours that dkms does not know is a dot-file: it
// ignores those. The layout is that of dkms(8); what its manual leaves open was
// found by watching versions 3.0.10 and 3.2.2.
//
// Every change is made so that a crash, a full disk or an error leaves the old
// state or the new one. What a crash leaves over is recorded in a journal
// first, and Sweep, called under the lock at the start of every run that
// writes, undoes or finishes it.
//
// Besides states the tree remembers: what failed and for which inputs (Failure),
// which packages are to go once something has taken their place (Retirement),
// what runs did (AddRun), digests of what has not changed (Digests), how long
// packages took to build (BuildTimes), and what one run has to tell the next (the
// marks).
//
// The package neither reads a dkms.conf nor builds, loads or indexes modules,
// and it prints nothing.
package tree
