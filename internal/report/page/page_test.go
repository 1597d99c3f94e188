package page

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dkms-hook/dkms-hook/internal/record"
	"github.com/dkms-hook/dkms-hook/internal/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func made(tb testing.TB, in Input) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := Page(&b, in); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// outline is what a page consists of, as lines: its elements, those in them
// further in, and their texts. Where bars lie counts; how they look does not.
func outline(page []byte) (string, error) {
	var out strings.Builder
	d := xml.NewDecoder(bytes.NewReader(page))
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.StartElement:
			fmt.Fprintf(&out, "%s%s", strings.Repeat(" ", depth), t.Name.Local)
			for _, a := range t.Attr {
				fmt.Fprintf(&out, " %s=%q", a.Name.Local, a.Value)
			}
			out.WriteByte('\n')
			if depth++; t.Name.Local == "style" {
				if err := d.Skip(); err != nil {
					return "", err
				}
				depth--
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if text := strings.Join(strings.Fields(string(t)), " "); text != "" {
				fmt.Fprintf(&out, "%s%q\n", strings.Repeat(" ", depth), text)
			}
		}
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]Input{"failing": failing(), "fine": fine(), "early": early()} {
		got, err := outline(made(t, in))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		path := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// elements is every kind of element and of attribute that a page may have.
var elements = strings.Fields(`html head meta title link style body svg defs pattern rect header h1 h2 h3 span p ul li b main section article
	pre dl dt dd code table thead tbody tr th td small i text details summary`)

var attributes = strings.Fields(`lang charset name content http-equiv rel href class width height aria-hidden id patternUnits patternTransform
	aria-label aria-labelledby scope data-k style role x y open`)

// sane fails where page holds what no page may: an element or attribute that
// came from outside, something that runs or is fetched, control characters.
func sane(tb interface{ Errorf(string, ...any) }, page []byte) {
	d := xml.NewDecoder(bytes.NewReader(page))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			tb.Errorf("page is not well-formed: %v", err)
			return
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !slices.Contains(elements, start.Name.Local) {
			tb.Errorf("page has the element %s", start.Name.Local)
		}
		for _, a := range start.Attr {
			if !slices.Contains(attributes, a.Name.Local) || a.Name.Local == "href" && a.Value != "data:," {
				tb.Errorf("page has %s %s=%q", start.Name.Local, a.Name.Local, a.Value)
			}
		}
	}
	for _, r := range string(page) {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x202a && r <= 0x202e || r == 0x7f {
			tb.Errorf("page has the character %U", r)
			return
		}
	}
}

func TestHostile(t *testing.T) {
	t.Parallel()
	page := made(t, hostile())
	sane(t, page)
	if n := strings.Count(string(page), "&lt;script&gt;alert(1)"); n < 30 {
		t.Errorf("the evil text is there %d times; want it everywhere, as text", n)
	}
	commands := 0
	for _, line := range strings.Split(string(page), "<code>") {
		if strings.HasPrefix(line, "dkms-hook retry ") || strings.HasPrefix(line, "less ") {
			commands++
			if !strings.HasPrefix(line, "dkms-hook retry &#39;&lt;") && !strings.HasPrefix(line, "less &#39;&lt;") {
				t.Errorf("a command is not quoted: %.60s", line)
			}
		}
	}
	if commands < 2 {
		t.Errorf("%d commands; want some", commands)
	}
}

// Whatever is in a record, the page is well-formed, holds nothing else than it
// should, and bars are within their charts.
func TestAnyRun(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "</style>", "<!--", "]]>", "&", "it87", "6.1", "build", "make"}))
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.IntRange(0, 5).Draw(t, "none") == 0 {
			return time.Time{}
		}
		return night.Add(time.Duration(rapid.Int64Range(-1e12, 1e14).Draw(t, "offset")))
	})
	seconds := rapid.Float64Range(-10, 1e5)
	did := rapid.SampledFrom([]record.Did{record.Built, record.Installed, record.Failed, record.NotTried, record.Removed, "<b>"})
	rapid.Check(t, func(t *rapid.T) {
		in := Input{Host: text.Draw(t, "host")}
		in.Run = record.Run{Event: text.Draw(t, "event"), Began: moment.Draw(t, "began"), Ended: moment.Draw(t, "ended"),
			Interrupted: rapid.Bool().Draw(t, "interrupted"), Jobs: rapid.IntRange(-1, 3).Draw(t, "jobs")}
		for range rapid.IntRange(0, 5).Draw(t, "outcomes") {
			o := record.Outcome{Package: text.Draw(t, "package"), Release: text.Draw(t, "release"), Did: did.Draw(t, "did"), Step: text.Draw(t, "step"),
				Began: moment.Draw(t, "step began"), Seconds: seconds.Draw(t, "seconds"), First: text.Draw(t, "first"), Log: text.Draw(t, "log")}
			for range rapid.IntRange(0, 3).Draw(t, "phases") {
				o.Phases = append(o.Phases, record.Phase{Name: text.Draw(t, "phase"), After: seconds.Draw(t, "after"), Seconds: seconds.Draw(t, "long")})
			}
			in.Run.Outcomes = append(in.Run.Outcomes, o)
		}
		for range rapid.IntRange(0, 2).Draw(t, "kernel steps") {
			in.Run.Kernels = append(in.Run.Kernels, record.KernelStep{Step: text.Draw(t, "what"), Began: moment.Draw(t, "at"), Error: text.Draw(t, "error")})
		}
		for range rapid.IntRange(0, 2).Draw(t, "rows") {
			in.Rows = append(in.Rows, report.Row{Package: pkg(text.Draw(t, "name"), "1"), Further: []report.Further{{State: report.FurtherState(text.Draw(t, "state"))}}})
		}
		var b bytes.Buffer
		if err := Page(&b, in); err != nil {
			t.Fatal(err)
		}
		sane(t, b.Bytes())
		within(t, in)
	})
}

// within fails where a bar is not within its chart.
func within(t *rapid.T, in Input) {
	lanes, rows := charts(in.Run)
	for _, r := range slices.Concat(lanes.Rows, rows.Rows) {
		for _, s := range r.Steps {
			for _, p := range append(s.Parts, part{"", s.At, s.Wide}) {
				var at, wide float64
				if _, err := fmt.Sscanf(p.At+" "+p.Wide, "%g%% %g%%", &at, &wide); err != nil || at < 0 || wide < 0 || at+wide > 100.02 {
					t.Fatalf("%s: a bar is at %s, %s wide: %v", r.Name, p.At, p.Wide, err)
				}
			}
		}
	}
}

// The biggest machines' pages are usable: below 1 MB, the long lists folded.
func TestBig(t *testing.T) {
	t.Parallel()
	page := made(t, big())
	sane(t, page)
	if len(page) >= 950_000 {
		t.Errorf("the page has %d bytes; want less than 1 MB", len(page))
	}
	if n := bytes.Count(page, []byte("<details>")); n != 2 {
		t.Errorf("%d things are folded; want the rows of the chart, and the packages with which all is well", n)
	}
	worst := big()
	for i := range worst.Run.Outcomes {
		o := &worst.Run.Outcomes[i]
		o.Did, o.First, o.Log = record.Failed, "main.c:42:7: error: implicit declaration of function ‘gone’", "/var/lib/dkms/make.log"
	}
	if page := made(t, worst); len(page) >= 1_300_000 || bytes.Count(page, []byte("<article>")) != manyFailures {
		t.Errorf("when all fails the page has %d bytes and %d articles; want %d", len(page), bytes.Count(page, []byte("<article>")), manyFailures)
	}
}
