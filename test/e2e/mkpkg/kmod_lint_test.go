//go:build e2e

package mkpkg

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestKmodLintian: no errors, no warnings, no overrides.
func TestKmodLintian(t *testing.T) {
	long(t)
	t.Parallel()
	needs(t, "lintian")
	for _, dir := range forgeDebs(t) {
		files, _ := filepath.Glob(filepath.Join(dir, "*.deb"))
		args := append([]string{"--allow-root", "--tag-display-limit", "0", "--fail-on", "error,warning"}, files...)
		if out, err := exec.Command("lintian", args...).CombinedOutput(); err != nil || strings.Contains(string(out), "override") {
			t.Errorf("lintian: %v\n%s", err, out)
		}
	}
}

// TestKmodRpmlint: no errors; what does not apply is answered in
// rpmlint-kmod.toml.
func TestKmodRpmlint(t *testing.T) {
	t.Parallel()
	needs(t, "rpmlint")
	kmodRepo(t)
	files, _ := filepath.Glob(filepath.Join(kmodRepository.dir, "*.rpm"))
	out, err := exec.Command("rpmlint", append([]string{"-c", "rpmlint-kmod.toml"}, files...)...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), " 0 errors") {
		t.Errorf("rpmlint: %v\n%s", err, out)
	}
}
