package view

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// checkSchema is the version of what CheckJSON prints.
const checkSchema = 1

// Check prints verdicts on so many kernels in installTree.
func Check(w io.Writer, found []Verdict, kernels int, installTree string) {
	for _, v := range found {
		line := v.Package + "/" + v.Version
		if v.Release != "" {
			line += " for " + v.Release
		}
		fmt.Fprintf(w, "%s: %s: %s\n", line, v.State, v.Reason)
		if v.Still != "" {
			fmt.Fprintf(w, "  note: %s is still installed\n", v.still())
		}
		if v.Log != "" {
			fmt.Fprintf(w, "  log: %s\n", v.Log)
		}
	}
	switch {
	case kernels == 0:
		fmt.Fprintf(w, "there is no kernel in %s\n", installTree)
	case len(found) == 0:
		fmt.Fprintf(w, "all modules are there for %s\n", counted(kernels, "kernel"))
	}
}

// CheckJSON prints them for programs.
func CheckJSON(w io.Writer, found []Verdict, kernels int) error {
	return JSON(w, struct {
		Schema   int       `json:"schema"`
		Kernels  int       `json:"kernels"`
		Findings []Verdict `json:"findings"`
	}{checkSchema, kernels, append([]Verdict{}, found...)})
}

// Held is the notice that on_failure=hold leaves for those who look before they
// reboot; empty when no module is missing.
func Held(found []Verdict) string {
	var text strings.Builder
	for _, v := range found {
		if v.State == Missing {
			fmt.Fprintf(&text, "%s: %s/%s\n", v.Release, v.Package, v.Version)
		}
	}
	if text.Len() == 0 {
		return ""
	}
	return "these kernels lack a module, do not boot them (dkms-hook check):\n" + text.String()
}

// JSON prints v for programs, indented.
func JSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
