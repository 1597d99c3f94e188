package write

// A Key signs packages.
type Key struct{}
