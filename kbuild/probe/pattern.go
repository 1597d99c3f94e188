package probe

import (
	"regexp"
	"sync"
)

// A pattern is a regular expression that is compiled when it is first used: most
// runs build nothing, and use none.
type pattern func() *regexp.Regexp

func lazily(expr string) pattern {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
