package pkgmgr

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// ErrNoScript is returned by Activate outside of dpkg's maintainer scripts.
var ErrNoScript = errors.New("triggers can be activated by dpkg's maintainer scripts only")

// Interested reports whether a package that dpkg knows has declared interest
// in an explicit trigger (deb-triggers(5)). dpkg keeps the names of those
// packages in a file of the trigger's name, from their unpacking to their
// removal. File triggers (paths) have none.
func Interested(trigger string) bool {
	if trigger == "" || strings.HasPrefix(trigger, ".") || strings.ContainsRune(trigger, '/') {
		return false
	}
	data, err := os.ReadFile(filepath.Join(adminDir(), "triggers", trigger))
	return err == nil && len(bytes.TrimSpace(data)) > 0
}

// adminDir is dpkg's database; dpkg names it to its scripts.
func adminDir() string {
	if dir := os.Getenv("DPKG_ADMINDIR"); dir != "" {
		return dir
	}
	return "/var/lib/dpkg"
}

// Activate activates a trigger for the package whose maintainer script called
// us (dpkg-trigger(1)). With await the package counts as configured only once
// the trigger has been processed, unless the interested package wants no
// waiting. An error is ErrNoScript, or tells what dpkg-trigger said.
func Activate(ctx context.Context, trigger string, await bool) error {
	if os.Getenv("DPKG_MAINTSCRIPT_PACKAGE") == "" {
		return fmt.Errorf("trigger %s: %w", trigger, ErrNoScript)
	}
	args := []string{"dpkg-trigger"}
	if !await {
		args = append(args, "--no-await")
	}
	var said bytes.Buffer
	err := system.Run(ctx, system.Command{
		Args: append(args, trigger), Env: append(os.Environ(), "LC_ALL=C"),
		Stdin: strings.NewReader(""), Stdout: &said, Stderr: &said,
	})
	if err == nil {
		return nil
	}
	if text := strings.TrimSpace(said.String()); text != "" {
		return fmt.Errorf("trigger %s: %w: %s", trigger, err, text)
	}
	return fmt.Errorf("trigger %s: %w", trigger, err)
}
