package hooks

import (
	"context"
	"errors"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// cutShort is the error of a run that was interrupted, of which command does the rest.
func (r *run) cutShort(command string) error {
	return &dkms.Error{Kind: dkms.Interrupted, Problem: "interrupted", Err: context.Cause(r.ctx), Hint: command + " goes on where this ended"}
}

// interrupted reports whether err is no failure: the run was interrupted.
func interrupted(err error) bool {
	var build *kbuild.BuildError
	return errors.Is(err, context.Canceled) || errors.As(err, &build) && build.Class == kbuild.Interrupted
}
