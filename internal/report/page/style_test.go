package page

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
)

// schemes returns the colours of the style sheet, by name: the light ones, and
// the dark ones.
func schemes(t *testing.T) (light, dark map[string]string) {
	t.Helper()
	out := []map[string]string{{}, {}}
	for i, block := range regexp.MustCompile(`(?s):root \{\n(.*?)\}`).FindAllStringSubmatch(style, 2) {
		for _, v := range regexp.MustCompile(`--([\w-]+): (#[0-9a-f]+);`).FindAllStringSubmatch(block[1], -1) {
			out[i][v[1]] = v[2]
		}
	}
	if len(out[0]) < 15 || len(out[0]) != len(out[1]) {
		t.Fatalf("%d light colours and %d dark ones", len(out[0]), len(out[1]))
	}
	return out[0], out[1]
}

// linear returns the red, green and blue of a colour, as light.
func linear(t *testing.T, colour string) (rgb [3]float64) {
	t.Helper()
	if len(colour) == 4 {
		colour = "#" + strings.Repeat(colour[1:2], 2) + strings.Repeat(colour[2:3], 2) + strings.Repeat(colour[3:4], 2)
	}
	var c [3]int
	if _, err := fmt.Sscanf(colour, "#%02x%02x%02x", &c[0], &c[1], &c[2]); err != nil {
		t.Fatalf("%s: %v", colour, err)
	}
	for i, v := range c {
		if s := float64(v) / 255; s <= 0.04045 {
			rgb[i] = s / 12.92
		} else {
			rgb[i] = math.Pow((s+0.055)/1.055, 2.4)
		}
	}
	return rgb
}

// contrast is that of WCAG 2, 1.4.3: from 1 to 21.
func contrast(a, b [3]float64) float64 {
	luminance := func(c [3]float64) float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] + 0.05 }
	x, y := luminance(a), luminance(b)
	return max(x, y) / min(x, y)
}

// Text can be read by people who see little (WCAG 2, level AA), and bars can be
// seen on the paper.
func TestContrast(t *testing.T) {
	t.Parallel()
	light, dark := schemes(t)
	for name, scheme := range map[string]map[string]string{"light": light, "dark": dark} {
		for _, pair := range []struct {
			ink, papers string
			least       float64
		}{
			{"ink", "paper card grid bad-wash good-wash waits-wash", 7},
			{"soft", "paper card bad-wash good-wash waits-wash", 4.5},
			{"bad", "paper card bad-wash", 4.5}, {"good", "paper good-wash bad-wash", 4.5}, {"waits", "paper waits-wash bad-wash", 4.5},
			{"prepare", "paper", 2}, {"compile", "paper", 3}, {"finish", "paper", 2}, {"install", "paper", 3}, {"kernel", "paper", 2.5}, {"failed", "paper", 4.5},
		} {
			for paper := range strings.FieldsSeq(pair.papers) {
				if got := contrast(linear(t, scheme[pair.ink]), linear(t, scheme[paper])); got < pair.least {
					t.Errorf("%s: %s on %s has a contrast of %.1f; want %.1f", name, pair.ink, paper, got, pair.least)
				}
			}
		}
	}
}

// The stages that follow each other in a bar differ for people without one of
// the three kinds of cones (the matrices of Viénot 1999, and of Brettel 1997
// simplified), and for those who see grey only, or print so.
func TestColourBlind(t *testing.T) {
	t.Parallel()
	light, dark := schemes(t)
	eyes := map[string][3][3]float64{
		"all":          {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
		"protanopia":   {{0.11238, 0.88762, 0}, {0.11238, 0.88762, 0}, {0.00401, -0.00401, 1}},
		"deuteranopia": {{0.29275, 0.70725, 0}, {0.29275, 0.70725, 0}, {-0.02234, 0.02234, 1}},
		"tritanopia":   {{1, 0.14461, -0.14461}, {0, 0.85924, 0.14076}, {0, 0.85924, 0.14076}},
	}
	follow := [][2]string{{"prepare", "compile"}, {"compile", "finish"}, {"compile", "failed"}, {"finish", "install"}, {"install", "prepare"}, {"kernel", "install"}, {"compile", "install"}}
	for name, scheme := range map[string]map[string]string{"light": light, "dark": dark} {
		for eye, m := range eyes {
			see := func(colour string) (lab [3]float64) {
				c := linear(t, scheme[colour])
				var s [3]float64
				for i := range 3 {
					s[i] = min(max(m[i][0]*c[0]+m[i][1]*c[1]+m[i][2]*c[2], 0), 1)
				}
				return oklab(s)
			}
			for _, pair := range follow {
				a, b := see(pair[0]), see(pair[1])
				if d := math.Hypot(math.Hypot(a[0]-b[0], a[1]-b[1]), a[2]-b[2]); d < 0.09 {
					t.Errorf("%s, %s: %s and %s are %.3f apart; want 0.09", name, eye, pair[0], pair[1], d)
				}
			}
		}
	}
}

// oklab is a colour as people see it: equal distances look equal (Ottosson
// 2020).
func oklab(c [3]float64) [3]float64 {
	l := math.Cbrt(0.4122214708*c[0] + 0.5363325363*c[1] + 0.0514459929*c[2])
	m := math.Cbrt(0.2119034982*c[0] + 0.6806995451*c[1] + 0.1073969566*c[2])
	s := math.Cbrt(0.0883024619*c[0] + 0.2817188376*c[1] + 0.6299787005*c[2])
	return [3]float64{0.2104542553*l + 0.7936177850*m - 0.0040720468*s, 1.9779984951*l - 2.4285922050*m + 0.4505937099*s, 0.0259040371*l + 0.7827717662*m - 0.8086757660*s}
}
