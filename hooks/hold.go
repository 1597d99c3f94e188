package hooks

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/view"
)

// heldNotice is where on_failure=hold says that the next boot would lack a
// module, for those who look before they reboot. It is gone when nothing is
// missing any more, and with the boot.
const heldNotice = "/run/reboot-required.dkms-hook"

// noticeHeld writes or removes the notice.
func (r *run) noticeHeld() error {
	if r.policy() != conf.Hold || !system.IsDir(filepath.Dir(heldNotice)) {
		return removed(heldNotice)
	}
	ids, err := r.machine.Bootable()
	if err != nil {
		return err
	}
	found, err := r.examine(ids)
	if err != nil {
		return err
	}
	text := view.Held(found)
	if text == "" {
		return removed(heldNotice)
	}
	return system.WriteFile(heldNotice, []byte(text), 0o644)
}

func removed(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
