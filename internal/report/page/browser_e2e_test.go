//go:build e2e

package page

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var shots = flag.String("shots", "", "keep the screenshots in this directory")

// seen is what a browser has made of a page.
type seen struct {
	Bars, Tiny, Outside int     // rectangles; too small to be seen; not within their chart
	Rows                int     // of the charts that are shown
	Width, Window       float64 // of the page and of the window
	Scripts, Images     int
	Title, H1, Paper    string
	Clipped             []string // elements wider than the window
	Stages              int      // colours of bars
}

const looks = `(() => {
	const shown = [...document.querySelectorAll('.chart td svg rect')].filter(e => e.checkVisibility());
	const fills = new Set(shown.map(e => getComputedStyle(e).fill));
	const boxes = shown.map(e => [e.getBoundingClientRect(), e.closest('td').getBoundingClientRect()]);
	const wide = [...document.body.querySelectorAll('*')].filter(e => !e.closest('svg') && e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1);
	return {
		Bars: shown.length,
		Tiny: boxes.filter(([b]) => b.height < 8).length,
		Outside: boxes.filter(([b, t]) => b.left < t.left - 2 || b.right > t.right + 2).length,
		Rows: [...document.querySelectorAll('.chart tbody tr')].filter(e => e.checkVisibility()).length,
		Width: document.scrollingElement.scrollWidth, Window: innerWidth,
		Scripts: document.scripts.length, Images: document.images.length,
		Title: document.title, H1: document.querySelector('h1').innerText,
		Paper: getComputedStyle(document.body).backgroundColor,
		Clipped: wide.slice(0, 5).map(e => e.outerHTML.slice(0, 120)),
		Stages: fills.size,
	};
})()`

// TestBrowserReport opens pages in a real browser, at two widths, in light and
// in dark.
func TestBrowserReport(t *testing.T) {
	t.Parallel()
	c := startChromium(t)
	for _, tt := range []struct {
		name         string
		in           Input
		rows, stages int // at least
	}{
		{"failing", failing(), 2 + 9, 5},
		{"fine", fine(), 2 + 2, 5},
		{"early", early(), 0, 0},
		{"hostile", hostile(), 1 + 2, 2},
		{"big", big(), 8, 5},
	} {
		path := filepath.Join(t.TempDir(), tt.name+".html")
		write(t, path, tt.in)
		for _, wide := range []int{400, 1600} {
			for _, scheme := range []string{"light", "dark"} {
				t.Run(fmt.Sprintf("%s-%d-%s", tt.name, wide, scheme), func(t *testing.T) {
					c := *c
					c.t = t
					c.open(path, wide, scheme)
					var s seen
					c.eval(looks, &s)
					if s.Rows < tt.rows || s.Bars < tt.rows || s.Stages < tt.stages || s.Tiny > 0 || s.Outside > 0 {
						t.Errorf("charts: %+v; want %d rows with bars in %d colours", s, tt.rows, tt.stages)
					}
					if s.Width > s.Window || s.Window != float64(wide) || len(s.Clipped) > 0 {
						t.Errorf("%v pixels wide in a window of %v: %q", s.Width, s.Window, s.Clipped)
					}
					if s.Scripts > 0 || s.Images > 0 || s.H1 == "" || !strings.HasSuffix(s.Title, "– dkms-hook") {
						t.Errorf("page: %+v", s)
					}
					c.quiet(path)
					checkShot(t, c.screenshot(), scheme)
				})
			}
		}
	}
}

// What is folded on the screen is on paper.
func TestBrowserPrintsReport(t *testing.T) {
	t.Parallel()
	c := startChromium(t)
	in := big()
	path := filepath.Join(t.TempDir(), "big.html")
	write(t, path, in)
	c.open(path, 1000, "dark")
	var screen, paper seen
	c.eval(looks, &screen)
	c.call("Emulation.setEmulatedMedia", map[string]any{"media": "print"}, nil)
	c.eval(looks, &paper)
	all := 8 + 200*5 + 10 // slots, packages on kernels, depmod and initramfs of each kernel
	if screen.Rows != 8 || paper.Rows != all || paper.Paper != "rgb(255, 255, 255)" {
		t.Errorf("%d rows of charts on the screen, %d on paper, which is %s; want 8, %d and white", screen.Rows, paper.Rows, paper.Paper, all)
	}
	var pdf struct{ Data []byte }
	c.call("Page.printToPDF", map[string]any{}, &pdf)
	if !bytes.HasPrefix(pdf.Data, []byte("%PDF-")) {
		t.Errorf("%d bytes, no PDF", len(pdf.Data))
	}
}

func write(t *testing.T, path string, in Input) {
	t.Helper()
	var page bytes.Buffer
	if err := Page(&page, in); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// quiet fails where the page has asked for anything but itself, or the browser
// complains.
func (c *chromium) quiet(path string) {
	c.t.Helper()
	for _, m := range c.events {
		switch m.Method {
		case "Network.requestWillBeSent":
			if text := string(m.Params); !strings.Contains(text, `"url":"file://`+path) && !strings.Contains(text, `"url":"data:,"`) {
				c.t.Errorf("the page asks for something: %s", text)
			}
		case "Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Page.javascriptDialogOpening":
			c.t.Errorf("the browser complains: %s %s", m.Method, m.Params)
		}
	}
}

// checkShot fails for a picture with nothing on it, or in the wrong scheme.
func checkShot(t *testing.T, data []byte, scheme string) {
	t.Helper()
	if *shots != "" {
		if err := os.WriteFile(filepath.Join(*shots, strings.TrimPrefix(filepath.Base(t.Name()), "/")+".png"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	colours := map[color.Color]int{}
	for y := 0; y < img.Bounds().Dy(); y += 3 {
		for x := 0; x < img.Bounds().Dx(); x += 3 {
			colours[img.At(x, y)]++
		}
	}
	if len(colours) < 50 || img.Bounds().Dy() < 500 {
		t.Errorf("%v with %d colours: is it blank?", img.Bounds(), len(colours))
	}
	if paper := dark(img); paper != (scheme == "dark") {
		t.Errorf("the paper is dark: %v; want the scheme %s", paper, scheme)
	}
}

// dark reports whether the corner of the picture is.
func dark(img image.Image) bool {
	r, g, b, _ := img.At(2, img.Bounds().Dy()-3).RGBA()
	return r+g+b < 3*0x8000
}
