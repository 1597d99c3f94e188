// Package probes builds real packages with and without what makes kbuild's own
// start cheaper, kbuild/probe and ccache, compares the modules byte for byte and
// measures what it gives.
package probes
