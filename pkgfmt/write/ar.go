package write

import (
	"fmt"
	"io"
	"time"
)

// An arWriter writes the common archive format of deb(5). It keeps the first
// error.
type arWriter struct {
	w    io.Writer
	time time.Time
	err  error
}

func (a *arWriter) global() { _, a.err = io.WriteString(a.w, "!<arch>\n") }

// member adds a file of size bytes.
func (a *arWriter) member(name string, size int64, r io.Reader) {
	if a.err != nil {
		return
	}
	if _, a.err = fmt.Fprintf(a.w, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", name, a.time.Unix(), 0, 0, "100644", size); a.err != nil {
		return
	}
	if _, a.err = io.CopyN(a.w, r, size); a.err == nil && size%2 == 1 {
		_, a.err = io.WriteString(a.w, "\n")
	}
}
