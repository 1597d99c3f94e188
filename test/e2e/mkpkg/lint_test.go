//go:build e2e

package mkpkg

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

func needs(tb testing.TB, program string) {
	tb.Helper()
	if _, err := exec.LookPath(program); err != nil {
		box.Lacks(tb, program)
	}
}

// TestLintian: no errors, no warnings, no overrides.
func TestLintian(t *testing.T) {
	t.Parallel()
	needs(t, "lintian")
	args := []string{"--allow-root", "--tag-display-limit", "0", "--fail-on", "error,warning"}
	for _, r := range reals() {
		args = append(args, r.packed(t, first).deb, r.packed(t, amended).deb)
	}
	if out, err := exec.Command("lintian", args...).CombinedOutput(); err != nil || strings.Contains(string(out), "override") {
		t.Errorf("lintian: %v\n%s", err, out)
	}
}

// TestRpmlint: no errors; what does not apply is answered in rpmlint.toml.
func TestRpmlint(t *testing.T) {
	t.Parallel()
	needs(t, "rpmlint")
	args := []string{"-c", "rpmlint.toml"}
	for _, r := range reals() {
		args = append(args, r.packed(t, first).rpm)
	}
	out, err := exec.Command("rpmlint", args...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), " 0 errors") {
		t.Errorf("rpmlint: %v\n%s", err, out)
	}
}
