package report

// ExitStatus returns the exit status for err: 0 for nil, else by the Kind of
// the outermost *dkms.Error in it. Of errors that were joined the first
// counts. docs/exit-status.md is the table.
func ExitStatus(err error) int { return 0 }
