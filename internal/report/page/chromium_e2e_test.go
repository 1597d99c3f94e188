//go:build e2e

package page

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var browser = flag.String("browser", "../../../build/e2e/browser/root", "where tools/browser has unpacked one")

// chromium is a headless browser that the test speaks to by a pipe, in the
// Chrome DevTools Protocol.
type chromium struct {
	t      *testing.T
	to     io.Writer
	from   *bufio.Reader
	last   int
	tab    string // session of the tab
	events []message
}

type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct{ Message string }
}

// startChromium starts a browser with an empty tab. It ends with the test.
func startChromium(t *testing.T) *chromium {
	t.Helper()
	root, err := filepath.Abs(*browser)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(root, "usr/lib/chromium/chromium-headless-shell")
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("in CI, and lacks a browser: %v", err)
		}
		t.Skip("needs a browser: make browser")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage",
		"--hide-scrollbars", "--user-data-dir="+t.TempDir(), "about:blank")
	libs, _ := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-gnu*"))
	for _, lib := range libs {
		libs = append(libs, filepath.Join(lib, "pulseaudio"))
	}
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(libs, ":"), "FONTCONFIG_FILE="+fonts(t, root))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	theirs, to := pipe(t)
	from, answers := pipe(t)
	cmd.ExtraFiles = []*os.File{theirs, answers} // 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	answers.Close()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the browser says:\n%s", stderr.String())
		}
	})
	c := &chromium{t: t, to: to, from: bufio.NewReader(from)}
	var target struct{ TargetID string }
	c.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var session struct{ SessionID string }
	c.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
	c.tab = session.SessionID
	for _, domain := range []string{"Page", "Network", "Log", "Runtime"} {
		c.call(domain+".enable", nil, nil)
	}
	return c
}

// fonts has the browser use the fonts that came with it, whatever the machine
// has.
func fonts(t *testing.T, root string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fonts.conf")
	text := fmt.Sprintf("<fontconfig><dir>%s/usr/share/fonts</dir><cachedir>%s</cachedir></fontconfig>\n", root, t.TempDir())
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// call sends a command and waits for its answer; what happens meanwhile goes
// to events.
func (c *chromium) call(method string, params, result any) {
	c.t.Helper()
	c.last++
	request := map[string]any{"id": c.last, "method": method}
	if params != nil {
		request["params"] = params
	}
	if c.tab != "" {
		request["sessionId"] = c.tab
	}
	text, err := json.Marshal(request)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.to.Write(append(text, 0)); err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	for {
		m := c.next()
		switch {
		case m.ID == 0:
			c.events = append(c.events, m)
		case m.ID != c.last:
		case m.Error != nil:
			c.t.Fatalf("%s: %s", method, m.Error.Message)
		case result != nil:
			if err := json.Unmarshal(m.Result, result); err != nil {
				c.t.Fatalf("%s: %v: %s", method, err, m.Result)
			}
			return
		default:
			return
		}
	}
}

func (c *chromium) next() message {
	c.t.Helper()
	text, err := c.from.ReadBytes(0)
	if err != nil {
		c.t.Fatalf("the browser has gone: %v", err)
	}
	var m message
	if err := json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &m); err != nil {
		c.t.Fatalf("%v: %s", err, text)
	}
	return m
}

// open loads the page at path, in a window so wide, in light or dark, and waits
// until it is there.
func (c *chromium) open(path string, wide int, scheme string) {
	c.t.Helper()
	c.events = nil
	c.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": wide, "height": 900, "deviceScaleFactor": 1, "mobile": wide < 800}, nil)
	c.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	c.call("Page.navigate", map[string]any{"url": "file://" + path}, nil)
	for !c.happened("Page.loadEventFired") {
		if m := c.next(); m.ID == 0 {
			c.events = append(c.events, m)
		}
	}
}

func (c *chromium) happened(method string) bool {
	for _, m := range c.events {
		if m.Method == method {
			return true
		}
	}
	return false
}

// eval returns what an expression of JavaScript is.
func (c *chromium) eval(expression string, into any) {
	c.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	c.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &answer)
	if answer.ExceptionDetails != nil {
		c.t.Fatalf("%s: %s", expression, answer.ExceptionDetails)
	}
	if err := json.Unmarshal(answer.Result.Value, into); err != nil {
		c.t.Fatalf("%s: %v: %s", expression, err, answer.Result.Value)
	}
}

// screenshot returns the whole page, or as much as is looked at, as PNG.
func (c *chromium) screenshot() []byte {
	c.t.Helper()
	var size struct{ W, H float64 }
	c.eval(`({W: innerWidth, H: Math.min(document.scrollingElement.scrollHeight, 3000)})`, &size)
	var shot struct{ Data []byte }
	c.call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true,
		"clip": map[string]any{"x": 0, "y": 0, "width": size.W, "height": size.H, "scale": 1}}, &shot)
	return shot.Data
}
