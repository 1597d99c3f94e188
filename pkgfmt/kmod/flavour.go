package kmod

import (
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// A lead is the newest kernel of a flavour.
type lead struct {
	// suffix is the flavour's, for the name of a package; empty for that of
	// the first kernel that was named.
	suffix string
	built  Built
}

// leads returns the newest kernel of each flavour, in the order in which they
// were named. Who has a cloud kernel does not want to follow the generic one.
func leads(built []Built) []lead {
	var order []string
	newest := map[string]Built{}
	for _, b := range built {
		f := flavour(b.Kernel.Release, b.Kernel.Arch)
		have, ok := newest[f]
		if !ok {
			order = append(order, f)
		}
		if !ok || dkms.CompareKernels(have.Kernel.KernelID, b.Kernel.KernelID) < 0 {
			newest[f] = b
		}
	}
	out := make([]lead, 0, len(order))
	for i, f := range order {
		suffix := ""
		if i > 0 {
			suffix = "-" + or(f, "plain")
		}
		out = append(out, lead{suffix, newest[f]})
	}
	return out
}

// flavour is what of a release is not its version: amd64 and cloud-amd64 of
// Debian's 6.1.0-56-cloud-amd64, rt of Red Hat's 5.14.0-70.el9.x86_64+rt. It is
// empty for 5.14.0-70.el9.x86_64 and 6.9.1.
func flavour(release, arch string) string {
	if _, variant, ok := strings.Cut(release, "."+arch); ok {
		return strings.TrimLeft(variant, "+.-")
	}
	words := slices.DeleteFunc(strings.Split(release, "-"), func(w string) bool {
		return strings.Trim(w[:min(1, len(w))], "0123456789") == "" || strings.Trim(strings.TrimPrefix(w, "rc"), "0123456789") == ""
	})
	return strings.Join(words, "-")
}
