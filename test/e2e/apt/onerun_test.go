//go:build e2e

package apt

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestOneRun brings kernels, headers and packages in one command of apt's. The
// run records must tell of one run at the end in which all was built that the
// kernel's own run had not built yet, and of each target built once.
func TestOneRun(t *testing.T) {
	onlyOurs(t)
	t.Parallel()
	m := newMachine(t)
	m.Engine(ours)
	before := len(m.runs(0))
	r := m.Apt("install", "linux-headers-amd64", "linux-headers-cloud-amd64", "linux-image-amd64",
		"v4l2loopback-dkms", "bbswitch-dkms", "acpi-call-dkms", "dm-writeboost-dkms", "ddcci-dkms", "nat-rtsp-dkms")
	m.Settled()
	m.Check(0)
	proveOneRun(t, m, m.runs(before))

	targets := builtTargets(m)
	if got := did(m.runs(before), "built"); !slices.Equal(slices.Sorted(maps.Keys(got)), targets) {
		t.Errorf("the run records tell of\n\t%s\nand the tree of\n\t%s", strings.Join(slices.Sorted(maps.Keys(got)), "\n\t"), strings.Join(targets, "\n\t"))
	}
	const least = 4*2 + 2*1 // v4l2loopback and ddcci are not for clouds' kernels
	if len(targets) < least {
		t.Errorf("only %d targets were built: %v", len(targets), targets)
	}
	for _, target := range targets {
		ref, release, _ := strings.Cut(target, " for ")
		if line := ref + ".*" + release; !strings.Contains(r.Stdout+r.Stderr, release) {
			t.Errorf("apt's output does not tell of %s", line)
		}
	}

	// Nothing is left to do, and nothing is done.
	before = len(m.runs(0))
	m.Must("dkms-hook", "sync")
	m.Apt("install", "--reinstall", "xz-utils")
	if built := did(m.runs(before), "built"); len(built) > 0 {
		t.Errorf("built again: %v", built)
	}
}

// proveOneRun fails the test unless at most one run of the kernel's own and
// one at the end have built something, and each target once.
func proveOneRun(t *testing.T, m machine, runs []run) {
	t.Helper()
	var kernel, last []string
	for _, r := range runs {
		built := did([]run{r}, "built")
		if len(built) == 0 {
			continue
		}
		text := fmt.Sprintf("%s by %s: %v", r.path, r.Event, slices.Sorted(maps.Keys(built)))
		switch {
		case strings.HasPrefix(r.Event, "hook kernel-postinst"):
			kernel = append(kernel, text)
		default:
			last = append(last, text)
		}
	}
	if len(kernel) > 1 || len(last) > 1 || len(kernel)+len(last) == 0 {
		t.Errorf("not one run, but:\n%s", strings.Join(slices.Concat(kernel, last), "\n"))
	}
	once(t, runs)
}

// builtTargets are what the tree holds.
func builtTargets(m machine) (targets []string) {
	for _, path := range m.Glob("/var/lib/dkms/*/*/*/*/module") {
		f := strings.Split(strings.TrimPrefix(path, "/var/lib/dkms/"), "/")
		targets = append(targets, f[0]+"/"+f[1]+" for "+f[2])
	}
	slices.Sort(targets)
	return targets
}
