//go:build e2e

package e2e

// known are the differences between DKMS 3.2.2 and us that are meant. Any
// other difference is a bug of ours, or a new line here with its reason.
var known = []difference{}
