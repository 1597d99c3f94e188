package aptbox

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// An Engine is what makes Debian's dkms packages work.
type Engine struct {
	Name string
	Debs func(testing.TB, Machine) []string // what apt-get install is given
}

var (
	// Ours is the package under test.
	Ours = Engine{"dkms-hook", ourDeb}
	// Stock is the oracle: Debian's own.
	Stock = Engine{"dkms", func(testing.TB, Machine) []string { return []string{"dkms"} }}
)

// SelfIsStock says that the oracle stands in for the package under test, for
// work on the tests themselves.
func SelfIsStock() bool { return os.Getenv("DKMS_HOOK_E2E_SELF") == "stock" }

// ourDeb puts the package under test into the box: DKMS_HOOK_DEB, or what make
// packages has made.
func ourDeb(tb testing.TB, m Machine) []string {
	tb.Helper()
	if SelfIsStock() {
		return Stock.Debs(tb, m)
	}
	path := os.Getenv("DKMS_HOOK_DEB")
	if path == "" {
		found, _ := filepath.Glob(filepath.Join(box.Project(), "dist/dkms-hook_*_amd64.deb"))
		if len(found) != 1 {
			tb.Fatalf("%d packages to test in dist, want 1: make packages makes it", len(found))
		}
		path = found[0]
	}
	content, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	m.Write("/root/dkms-hook.deb", string(content))
	return []string{"/root/dkms-hook.deb"}
}
