package plan

import "io"

// Format writes p for people: a line per step with its reason, then a line
// per note.
func (p Plan) Format(w io.Writer) error { return nil }
