package hooks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// On an RPM upgrade the new package's %post runs before the old one's %preun.
// When both are of one NAME/VER, the old one's `remove --rpm_safe_upgrade`
// would take away what the new one has just installed. So `add` with that flag
// leaves a note that names the package and the rpm process, and `remove` with
// it does nothing when it finds one of its own rpm process. The note is a file
// TREE/.dkms-hook/rpm/NAME-VER holding the process's number and start time.

func (r *run) notePath(p dkms.Package) string {
	return filepath.Join(r.tree.Dir, ".dkms-hook", "rpm", p.Name+"-"+p.Version)
}

// safeUpgrade leaves the note where --rpm_safe_upgrade is given. It also has
// versions overridden: a refusal would leave the machine with neither the old
// module nor the new.
func (r *run) safeUpgrade(p dkms.Package) error {
	if !r.call.RPMSafeUpgrade {
		return nil
	}
	r.call.ForceVersion = true
	caller, err := rpmProcess()
	if err != nil {
		return err
	}
	path := r.notePath(p)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return system.WriteFile(path, []byte(caller+"\n"), 0o644)
}

// upgradedByCaller reports whether the transaction that calls us now has added
// p before. The note has served then, or is of another time.
func (r *run) upgradedByCaller(p dkms.Package) bool {
	path := r.notePath(p)
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	_ = os.Remove(path)
	caller, err := rpmProcess()
	return err == nil && strings.TrimSpace(string(text)) == caller
}

// rpmProcess identifies the process that runs the scriptlet which called us:
// our nearest ancestor that is no shell, by number and start time, so that a
// number used again is not mistaken for it.
func rpmProcess() (string, error) {
	for pid := os.Getppid(); ; {
		p, err := system.ReadProcess(pid)
		if err != nil {
			return "", err
		}
		if !slices.Contains([]string{"sh", "bash", "dash", "ksh", "busybox"}, p.Command) || p.Parent == 0 {
			return fmt.Sprintf("%d %d", p.PID, p.Start), nil
		}
		pid = p.Parent
	}
}
