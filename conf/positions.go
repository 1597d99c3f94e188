package conf

// positions remembers where directives are assigned, for problems.
type positions struct{}
