package script

import (
	"encoding/json"

	"github.com/rogpeppe/go-internal/testscript"
)

// traced is `traced FILE NAME …`: the file is a trace in which each of these has
// happened; `! traced` that none has.
func traced(ts *testscript.TestScript, neg bool, args []string) {
	var trace struct {
		TraceEvents []struct {
			Name, Ph string
			At       *float64 `json:"ts"`
			Dur      *float64
			Args     map[string]any
		}
	}
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &trace); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	found := map[string]bool{}
	for _, e := range trace.TraceEvents {
		if e.At == nil || *e.At < 0 || e.Ph == "X" && (e.Dur == nil || *e.Dur < 0) {
			ts.Fatalf("%s: %s has no time", args[0], e.Name)
		}
		found[e.Name] = e.Ph == "X" || e.Ph == "i"
	}
	for _, name := range args[1:] {
		if found[name] == neg {
			ts.Fatalf("%s: %q is in there: %v", args[0], name, found[name])
		}
	}
}
