package hooks

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"errors"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// heldNotice is where on_failure=hold says that the next boot would lack a
// module, for those who look before they reboot. It is gone when nothing is
// missing any more, and with the boot.
const heldNotice = "/run/reboot-required.dkms-hook"

// noticeHeld writes or removes the notice.
func (r *run) noticeHeld() error {
	if r.policy() != conf.Hold {
		return removed(heldNotice)
	}
	have, err := r.tree.Scan(r.ctx)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, p := range newest(have) {
		for _, f := range p.Failures {
			fmt.Fprintf(&text, "%s: %s\n", f.Ref.Release, f.Ref.Package)
		}
	}
	if text.Len() == 0 {
		return removed(heldNotice)
	}
	return system.WriteFile(heldNotice, []byte("these kernels lack a module, do not boot them (dkms-hook check):\n"+text.String()), 0o644)
}

func removed(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
