package script

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/tutorial"
)

// TestTutorial types what a user does in the tutorial: each command succeeds,
// and prints at least what stands there.
func TestTutorial(t *testing.T) {
	t.Parallel()
	tutorial.TypeUser(t, tutorial.Read(t, "../.."), "KERNEL="+kernels(t)[0],
		"PATH="+filepath.Dir(binary)+string(filepath.ListSeparator)+os.Getenv("PATH"))
}
