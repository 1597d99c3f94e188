package lint

import (
	"encoding/json"
	"fmt"
	"io"
)

// WriteText writes one line for each finding, and its hint below it.
func WriteText(w io.Writer, findings []Finding) error {
	last := Finding{}
	for _, f := range findings {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
		if f.Hint != "" && (f.Rule != last.Rule || f.File != last.File) { // once for a run of the same
			if _, err := fmt.Fprintf(w, "    hint: %s\n", f.Hint); err != nil {
				return err
			}
		}
		last = f
	}
	return nil
}

// WriteJSON writes an object with the list of findings, {"findings": […]}; each
// has the fields of Finding.
func WriteJSON(w io.Writer, findings []Finding) error {
	if findings == nil {
		findings = []Finding{}
	}
	return indented(w, map[string]any{"findings": findings})
}

func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
