//go:build e2e

package lint

import (
	"context"
	"testing"

	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
)

// TestDebian judges the packages that the end-to-end tests have fetched: they
// are maintained, so no rule may call them broken.
func TestDebian(t *testing.T) {
	t.Parallel()
	for _, file := range pkgtest.DebianSources(t) {
		findings, err := Path(context.Background(), file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		for _, f := range findings {
			switch f.Rule {
			case "deprecated-clean", "sources-file", "external-program":
			case "module-not-built":
				if f.Severity != Note {
					t.Errorf("%s", f)
				}
			default:
				t.Errorf("%s", f)
			}
		}
	}
}
