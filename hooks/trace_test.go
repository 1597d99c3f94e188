package hooks

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/call"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/sched"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// drawn is an event of a trace, as a viewer reads it.
type drawn struct {
	Name, Cat, Ph string
	At            float64 `json:"ts"`
	Dur           float64
	Tid           int
	Args          map[string]any
}

// traced returns the events of the trace in text, but metadata, by name.
func traced(t *testing.T, text []byte) map[string]drawn {
	t.Helper()
	var all struct{ TraceEvents []drawn }
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	found := map[string]drawn{}
	for _, e := range all.TraceEvents {
		if e.Ph != "M" {
			found[e.Name] = e
		}
	}
	return found
}

func TestTracer(t *testing.T) {
	t.Parallel()
	tr, err := newTracer(call.Call{Action: "install", Operands: []string{"it87/1"}, Trace: filepath.Join(t.TempDir(), "t.json")})
	if err != nil {
		t.Fatal(err)
	}
	end := tr.part("conf")
	tr.part("scan")()
	end()
	tr.part("plan")()
	build, install := stepOf(plan.Build, "it87"), stepOf(plan.Install, "it87")
	tr.Started(build)
	began := time.Now()
	time.Sleep(5 * time.Millisecond)
	o := ended(sched.Failed, errors.New("does not compile"), time.Second)
	o.Phases = []kbuild.Phase{{Name: "make", Began: began, Duration: time.Millisecond}}
	o.Retries = []kbuild.Retry{{How: kbuild.RetrySerial, Why: "odd"}}
	tr.Ended(build, o)
	tr.Ended(install, ended(sched.Blocked, errors.New("needs build"), 0))
	tr.write(Engine{Version: "7"}, false, errors.New("1 failed"))
	text, err := os.ReadFile(tr.path)
	if err != nil {
		t.Fatal(err)
	}
	got := traced(t, text)
	whole, step, made := got["dkms-hook install it87/1"], got[string(build.ID())], got["make"]
	if whole.Args["version"] != "7" || whole.Args["error"] != "1 failed" {
		t.Errorf("the run is %+v", whole)
	}
	for _, name := range []string{"conf", "scan", "plan"} {
		if got[name].Tid != whole.Tid || got[name].Cat != "part" {
			t.Errorf("%s is %+v; want it on the program's lane", name, got[name])
		}
	}
	if step.Tid == whole.Tid || step.Args["status"] != "failed" || step.Args["why"] != "asked for" || step.Args["error"] != "does not compile" ||
		!strings.Contains(step.Args["retried"].(string), "odd") {
		t.Errorf("the build is %+v", step)
	}
	if made.Tid != step.Tid || made.At < step.At || made.At+made.Dur > step.At+step.Dur {
		t.Errorf("make is %+v; want it in %+v", made, step)
	}
	if blocked := got[string(install.ID())]; blocked.Ph != "i" || blocked.Args["status"] != "blocked" {
		t.Errorf("what did not run is %+v", blocked)
	}
}

func TestNoTrace(t *testing.T) {
	t.Parallel()
	tr, err := newTracer(call.Call{Action: "sync"})
	if tr != nil || err != nil {
		t.Errorf("newTracer = %v, %v without --trace", tr, err)
	}
	tr.part("scan")()
}

func TestTraceNowhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := newTracer(call.Call{Action: "sync", Trace: dir})
	if dkms.KindOf(err) != dkms.NotAllowed || err.Error() != "--trace "+dir+": cannot be written: is a directory" {
		t.Errorf("newTracer = %v", err)
	}
	// What is found out at the end is a warning.
	gone := filepath.Join(dir, "gone")
	if err := os.Mkdir(gone, 0o755); err != nil {
		t.Fatal(err)
	}
	tr, err := newTracer(call.Call{Action: "sync", Trace: gone + "/t.json"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	tr.write(Engine{Stderr: &said}, false, nil)
	if want := "warning: --trace " + gone + "/t.json: cannot be written: no such file or directory\n"; said.String() != want {
		t.Errorf("said %q; want %q", said.String(), want)
	}
}

func TestTraceToStandardOutput(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"-", "/dev/stdout"} {
		tr, err := newTracer(call.Call{Action: "sync", Trace: path})
		if err != nil {
			t.Fatal(err)
		}
		var out, said bytes.Buffer
		tr.write(Engine{Stdout: &out, Stderr: &said}, false, nil)
		if _, ok := traced(t, out.Bytes())["dkms-hook sync"]; !ok || said.Len() > 0 {
			t.Errorf("%s: %s, said %q", path, out.String(), said.String())
		}
	}
}
