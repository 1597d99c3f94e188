package registry

import (
	"context"
	"fmt"
	"os"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/pkgmgr"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// On an RPM upgrade the new package's %post runs before the old one's %preun.
// When both are of one NAME/VER, the old one's `remove --rpm_safe_upgrade`
// would take away what the new one has just installed. So `add` with that flag
// leaves a note that names the package and the rpm process, and `remove` with
// it does nothing when it finds one of its own rpm process.

// NoteUpgrade leaves the note.
func (g *Registry) NoteUpgrade(p dkms.Package) error {
	transaction, err := pkgmgr.Transaction()
	if err != nil {
		return err
	}
	return g.tree.MarkUpgrade(p, transaction)
}

// Upgraded reports whether the transaction that calls us now has added p before.
// The note has served then, or is of another time.
func (g *Registry) Upgraded(p dkms.Package) bool {
	added, ok := g.tree.TakeUpgrade(p)
	if !ok {
		return false
	}
	now, err := pkgmgr.Transaction()
	return err == nil && added == now
}

// trigger is the dpkg trigger by which a transaction's registrations become one
// run at its end.
const trigger = "dkms-hook"

// Enqueue has dpkg call us once more when it has configured what it can;
// awaiting, nothing that depends on the calling package is configured before.
// It reports false where nobody would call: then it is to be done now.
func (g *Registry) Enqueue(ctx context.Context, await bool) bool {
	if os.Getenv(system.LockEnv) != "" {
		return true // a run of ours has called us, and it is that run
	}
	if g.foreign || pkgmgr.Caller().Manager != "dpkg" || !pkgmgr.Interested(trigger) {
		return false
	}
	if err := pkgmgr.Activate(ctx, trigger, await); err != nil {
		g.console.Warn(fmt.Sprintf("the dpkg trigger %s could not be activated, so modules are built now: %v", trigger, err))
		return false
	}
	return true
}
