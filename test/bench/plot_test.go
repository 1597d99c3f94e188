package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func points(first time.Duration) (out []Point) {
	for n := 1; n <= 1000; n *= 10 {
		out = append(out, Point{n, first * time.Duration(n)})
	}
	return out
}

// TestSVG proves that a plot is XML, that a point is drawn where the axes say,
// that linear growth is a straight line, and that names do not cover each other.
func TestSVG(t *testing.T) {
	t.Parallel()
	svg := Plot{Title: "a < b", X: "packages", Lines: []Line{
		{Name: "plan", Points: points(time.Millisecond)},
		{Name: "status & more", Points: points(990 * time.Microsecond), Colour: 1, Dashed: true},
	}}.SVG()
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("not XML: %v\n%s", err, svg)
		}
	}
	first := regexp.MustCompile(`points="([\d.,]+) ([\d.,]+) ([\d.,]+) ([\d.,]+) "`).FindStringSubmatch(svg)
	if first == nil {
		t.Fatalf("no line of four points in:\n%s", svg)
	}
	if first[1] != "64.0,287.0" || first[4] != "570.0,44.0" {
		t.Errorf("1 ms is drawn at %s and 1 s at %s; want them where the axes have them", first[1], first[4])
	}
	names := regexp.MustCompile(`y="([\d.]+)">(?:plan|status &amp; more): `).FindAllStringSubmatch(svg, -1)
	if len(names) != 2 {
		t.Fatalf("%d names of lines; want 2:\n%s", len(names), svg)
	}
	if gap := number64(t, names[1][1]) - number64(t, names[0][1]); gap < 13 {
		t.Errorf("names are %.1f pixels from each other; want a line's height", gap)
	}
}

func number64(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
