package hooks

import (
	"fmt"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// generateMOK makes the key pair if it is missing.
func (r *run) generateMOK() error {
	end, err := r.begin()
	if err != nil {
		return err
	}
	defer end()
	release, _, err := system.Uname()
	if err != nil {
		return &dkms.Error{Kind: dkms.KernelUnknown, Object: "running kernel", Problem: "cannot be determined", Err: err}
	}
	pair, err := r.keys.Ensure(release)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.result, "Signing key: %s\nPublic certificate (MOK): %s\n", pair.Key, pair.Cert)
	return nil
}
