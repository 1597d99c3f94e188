package report

import (
	"context"
	"errors"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// ExitStatus returns the exit status for err: 0 for nil, else by the Kind of
// the outermost *dkms.Error in it, or 130 when the run was interrupted. Of
// errors that were joined the first counts. docs/exit-status.md is the table.
func ExitStatus(err error) int {
	for err != nil {
		if e, ok := err.(*dkms.Error); ok { //nolint:errorlint // the chain is walked here, outermost first
			return status(e)
		}
		if errors.Is(err, context.Canceled) && !hasKind(err) {
			return 130
		}
		err = inner(err)
	}
	return 0
}

// inner unwraps err by one layer, a joined one to its first; an error that
// nobody classified ends as one of Kind Unknown.
func inner(err error) error {
	switch e := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() error }:
		if next := e.Unwrap(); next != nil {
			return next
		}
	case interface{ Unwrap() []error }:
		for _, next := range e.Unwrap() {
			if next != nil {
				return next
			}
		}
	}
	return &dkms.Error{Kind: dkms.Unknown}
}

func hasKind(err error) bool {
	var e *dkms.Error
	return errors.As(err, &e)
}

// status is the one place where a Kind becomes a number. All but 75 and 130
// are those of DKMS.
func status(e *dkms.Error) int {
	switch e.Kind {
	case dkms.NotAllowed, dkms.Incomplete, dkms.Unknown, dkms.SigningFailed, dkms.InitramfsFailed, dkms.ModulesMissing:
		return 1
	case dkms.Usage, dkms.SourceMissing, dkms.ModulesStale:
		return 2
	case dkms.AlreadyAdded, dkms.NotInTree, dkms.ArchiveNoConf:
		return 3
	case dkms.ConfMissing, dkms.OneActionOnly:
		return 4
	case dkms.AllNotAllowed, dkms.PatchMissing, dkms.AlreadyInstalled:
		return 5
	case dkms.PatchFailed, dkms.NoModuleDir, dkms.NothingInstalled, dkms.ProvidedByKernel:
		return 6
	case dkms.ModuleNotProduced, dkms.ArchiveInvalid:
		return 7
	case dkms.ConfInvalid:
		return 8
	case dkms.DestNotWritable:
		return 9
	case dkms.MakeFailed:
		return 10
	case dkms.AutoinstallFailed:
		return 11
	case dkms.ArchUnknown:
		return 12
	case dkms.DependsMissing:
		return 13
	case dkms.HookFailed:
		return 14
	case dkms.KernelUnknown:
		return 16
	case dkms.HeadersMissing:
		return 21
	case dkms.Busy:
		return 75
	case dkms.Excluded:
		return 77
	case dkms.ScriptRefused:
		return 101
	case dkms.Interrupted:
		return 130
	case dkms.ScriptFailed:
		if e.Status > 0 && e.Status < 256 {
			return e.Status
		}
	}
	return 1
}
