package hooks

import (
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/pkgmgr"
)

// On an RPM upgrade the new package's %post runs before the old one's %preun.
// When both are of one NAME/VER, the old one's `remove --rpm_safe_upgrade`
// would take away what the new one has just installed. So `add` with that flag
// leaves a note that names the package and the rpm process, and `remove` with
// it does nothing when it finds one of its own rpm process.

// safeUpgrade leaves the note where --rpm_safe_upgrade is given. It also has
// versions overridden: a refusal would leave the machine with neither the old
// module nor the new.
func (r *run) safeUpgrade(p dkms.Package) error {
	if !r.call.RPMSafeUpgrade {
		return nil
	}
	r.machine.ForceVersion = true
	transaction, err := pkgmgr.Transaction()
	if err != nil {
		return err
	}
	return r.machine.Tree.MarkUpgrade(p, transaction)
}

// upgradedByCaller reports whether the transaction that calls us now has added
// p before. The note has served then, or is of another time.
func (r *run) upgradedByCaller(p dkms.Package) bool {
	added, ok := r.machine.Tree.TakeUpgrade(p)
	if !ok {
		return false
	}
	now, err := pkgmgr.Transaction()
	return err == nil && added == now
}
