package record_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/record"
)

// early is a record as the first version wrote it: nothing but its fields.
const early = `{
  "schema": 1,
  "event": "install it87/eol",
  "version": "0.1.0",
  "began": "2026-11-01T02:00:00+01:00",
  "ended": "2026-11-01T02:00:09+01:00",
  "outcomes": [
    {
      "package": "it87",
      "version": "eol",
      "release": "6.1.0-56-amd64",
      "arch": "x86_64",
      "did": "failed",
      "seconds": 8.5,
      "error": "it87/eol for 6.1.0-56-amd64: does not compile"
    }
  ],
  "notes": []
}
`

func TestEarlyRecord(t *testing.T) {
	t.Parallel()
	run, err := record.Decode([]byte(early))
	if err != nil {
		t.Fatal(err)
	}
	if got := run.Outcomes[0].Ref().String(); got != "it87/eol/6.1.0-56-amd64/x86_64" || run.Outcomes[0].Did != record.Failed {
		t.Errorf("Decode = %+v", run)
	}
	again, err := run.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(early, string(again)); diff != "" {
		t.Errorf("what is not known is written (-was +is):\n%s", diff)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 1, 2, 0, 0, 123456789, time.UTC)
	run := record.Run{
		Schema: 1, Event: "sync", Version: "1", Began: began, Ended: began.Add(time.Minute),
		Interrupted: true, Jobs: 2, JobsWhy: "2 processors", Notes: []record.Note{},
		Outcomes: []record.Outcome{{
			Package: "it87", Version: "eol", Release: "6.1", Arch: "x86_64", Did: record.Failed, Seconds: 3, Error: "e",
			Step: "build", Why: "no module yet", Began: began, Phases: []record.Phase{{Name: "make", After: 0.5, Seconds: 2.5}},
			From: "cache", Retried: "alone", Class: "kernel API change", First: "a.c:3: x", Log: "/l", Hint: "h", Still: "s",
		}},
		Kernels: []record.KernelStep{{Release: "6.1", Arch: "x86_64", Step: "depmod", Began: began, Seconds: 1, Error: "e"}},
	}
	text, err := run.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := record.Decode(text)
	if diff := cmp.Diff(run, got); diff != "" || err != nil {
		t.Errorf("Decode(Encode) (-want +got): %v\n%s", err, diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"schema": 2}`: "schema 2 is not understood",
		`{}`:            "schema 0 is not understood",
		``:              "unexpected end",
		`[]`:            "cannot unmarshal",
	} {
		if _, err := record.Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode(%q) = %v; want %q", text, err, want)
		}
	}
}

// Every field that is written is in the page that describes the record.
func TestFieldsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/run-record.md")
	if err != nil {
		t.Fatal(err)
	}
	full := record.Run{
		Interrupted: true, Jobs: 1, JobsWhy: "w", Began: time.Now(), Notes: []record.Note{{Release: "r"}},
		Outcomes: []record.Outcome{{Release: "r", Arch: "a", Error: "e", Step: "s", Why: "w", Began: time.Now(), Phases: []record.Phase{{}},
			From: "f", Retried: "r", Class: "c", First: "f", Log: "l", Hint: "h", Still: "s"}},
		Kernels: []record.KernelStep{{Release: "r", Arch: "a", Error: "e"}},
	}
	text, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	fields := regexp.MustCompile(`"(\w+)":`).FindAllStringSubmatch(string(text), -1)
	if len(fields) < 40 {
		t.Fatalf("%d fields in %s", len(fields), text)
	}
	for _, f := range fields {
		if !strings.Contains(string(page), "`"+f[1]+"`") {
			t.Errorf("docs/run-record.md: says nothing of %q", f[1])
		}
	}
}
