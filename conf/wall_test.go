package conf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// sampleKernel is a kernel that is on no disk.
var sampleKernel = kbuild.Kernel{
	KernelID: dkms.KernelID{Release: "6.1.0-49-amd64", Arch: "x86_64"},
	Source:   "/lib/modules/6.1.0-49-amd64/build", ConfigFile: "/lib/modules/6.1.0-49-amd64/build/.config",
	Suffix: ".ko",
}

// sampleRequest writes text as a dkms.conf in a directory of its own.
func sampleRequest(t testing.TB, text string) Request {
	file := filepath.Join(t.TempDir(), "dkms.conf")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return Request{
		Package: dkms.Package{Name: "sample", Version: "1.0"}, File: file, Jobs: 4,
		Trees: Trees{DKMS: "/var/lib/dkms", Source: "/usr/src", Install: "/lib/modules"},
	}
}

const sampleHead = "PACKAGE_NAME=sample PACKAGE_VERSION=1.0\nBUILT_MODULE_NAME=sample DEST_MODULE_LOCATION=/extra\n"

// listing names every file below dir with its size.
func listing(t testing.TB, dir string) []string {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		names = append(names, fmt.Sprintf("%s %s %d", path, info.Mode(), info.Size()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestNothingIsWritten has files write in all ways they know.
func TestNothingIsWritten(t *testing.T) {
	t.Parallel()
	viewed := system.WithReadOnlyView(nil, func() error { return nil }) == nil
	for name, script := range map[string]string{
		"redirection": "echo x > $D/new; echo y >> $D/old; : > $D/old; echo z >| $D/new2; echo a &> $D/new3; echo b >& $D/new4; { echo c; } 2> $D/new5",
		"fifo":        "cat <(echo a) >(cat)",
		"here":        "cat <<< x > $D/new",
		"source":      "echo 'A=1' > $D/v; . $D/v; MAKE=$A",
		"touch":       "touch $D/new; rm -f $D/old; mkdir $D/dir; echo x | tee $D/new; sed -i s/a/b/ $D/old; cp /etc/passwd $D/",
		"shell":       "sh -c 'echo x > $D/new'; bash -c \"echo x > $D/new\"",
	} {
		t.Run(name, func(t *testing.T) {
			if (name == "touch" || name == "shell") && !viewed {
				if os.Getenv("CI") == "true" {
					t.Fatal("no privilege for a read-only view")
				}
				t.Skip("no privilege for a read-only view")
			}
			r := sampleRequest(t, "")
			dir := filepath.Dir(r.File)
			text := fmt.Sprintf("%sexport D=%s\n%s\n", sampleHead, dir, script)
			for _, f := range []string{r.File, filepath.Join(dir, "old")} {
				if err := os.WriteFile(f, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			before := listing(t, dir)
			c, err := Load(context.Background(), r, sampleKernel)
			if err != nil {
				t.Errorf("Load: %v", err)
			}
			if diff := cmp.Diff(before, listing(t, dir)); diff != "" {
				t.Errorf("the directory changed (-before +after):\n%s", diff)
			}
			if name == "source" && c.Values.Get("MAKE") != "1" {
				t.Errorf("MAKE = %q; want what the written file says", c.Values.Get("MAKE"))
			}
		})
	}
}

// TestEnds has files that do not end, or want all memory or stack.
func TestEnds(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ script, want string }{
		"loop":            {"while true; do :; done", "does not come to an end"},
		"arithmetic loop": {"for ((;;)); do ((x++)); done", "does not come to an end"},
		"empty loop":      {"until false; do x=1; done", "does not come to an end"},
		"recursion":       {"f() { f; }; f", "its dkms.conf is invalid"},
		"indirect":        {"f() { g; }\ng() { x=$(f); }\nf", "its dkms.conf is invalid"},
		"eval":            {`x='eval "$x"'; eval "$x"`, "its dkms.conf is invalid"},
		"source":          {`. "$BASH_SOURCE"`, "its dkms.conf is invalid"},
		"memory":          {"a=xxxxxxxxxxxxxxxx\nwhile :; do a=$a$a; done", "grow beyond"},
		"memory in line":  {"a=xxxxxxxxxxxxxxxx\n" + strings.Repeat("a=$a$a\n", 60), "grow beyond"},
		"long":            {strings.Repeat("# comment\n", 20000), "longer than"},
		"slow command":    {"sleep 30", ""},
		"command waits":   {"read x; cat; MAKE=done", ""},
		"unfinished pipe": {"yes | head -1", ""},
		"nested":          {"x=" + strings.Repeat("$(", 20000), "syntax error"},
		"nested groups":   {strings.Repeat("{ ", 30000), "syntax error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := sampleRequest(t, sampleHead+tt.script)
			r.Timeout = 300 * time.Millisecond
			if tt.want == "does not come to an end" {
				r.Timeout = 30 * time.Millisecond
			}
			start := time.Now()
			_, err := Load(context.Background(), r, sampleKernel)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			if tt.want == "" && err != nil {
				t.Errorf("Load: %v; want no error", err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("Load: %v; want %q", err, tt.want)
			}
		})
	}
}

func TestSlowCommandIsNamed(t *testing.T) {
	t.Parallel()
	r := sampleRequest(t, sampleHead+"sleep 30\nCLEAN=true\n")
	r.Timeout = 100 * time.Millisecond
	c, err := Load(context.Background(), r, sampleKernel)
	if err != nil {
		t.Fatal(err)
	}
	want := Problem{File: r.File, Text: "sleep ran longer than 100ms and was ended"}
	if !slices.Contains(c.Warnings, want) {
		t.Errorf("Warnings = %v; want %v among them", c.Warnings, want)
	}
	if c.Values.Get("CLEAN") != "true" {
		t.Error("what follows the slow command was not read")
	}
}

func TestCancelledLoad(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := Load(ctx, sampleRequest(t, "while :; do :; done"), sampleKernel)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Load = %v; want context.Canceled", err)
	}
}

func TestUname(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"MAKE=$(uname -r)":             "6.1.0-49-amd64",
		"MAKE=`uname -m`":              "x86_64",
		"MAKE=$(/bin/uname -s -r)":     "Linux 6.1.0-49-amd64",
		"MAKE=$(uname -mr)":            "6.1.0-49-amd64 x86_64",
		"MAKE=$(uname)":                "Linux",
		"MAKE=$(uname --machine -o)":   "x86_64 GNU/Linux",
		"MAKE=$(uname -q || echo bad)": "bad",
		"MAKE='$(uname -r)'":           "6.1.0-49-amd64",
	} {
		c, err := Load(context.Background(), sampleRequest(t, sampleHead+script), sampleKernel)
		if err != nil {
			t.Errorf("%s: %v", script, err)
			continue
		}
		if got := c.Values.Get("MAKE"); got != want {
			t.Errorf("%s: MAKE = %q; want %q", script, got, want)
		}
	}
}

// FuzzEvaluate looks for a panic, a hang, or a file written. No external
// program runs.
func FuzzEvaluate(f *testing.F) {
	for _, script := range bashCases(f) {
		f.Add(script)
	}
	f.Add("PACKAGE_NAME=x\r\nMAKE='${kernelver}'\r\n")
	f.Add("A=${!}; B=${@:1:2}; C=$((1<<-1)); D=$((1/0)); E=${x:-1:-2}; F=(${a[-5]})")
	f.Add("mapfile A; read -n 5 B; printf '%*d %s' 3; getopts; trap; shopt -p; set -o; declare -p")
	f.Fuzz(func(t *testing.T, script string) {
		r := sampleRequest(t, script)
		dir := filepath.Dir(r.File)
		before := listing(t, dir)
		e := newEvaluation(r, sampleKernel)
		defer e.close()
		e.timeout = time.Second
		e.allow = func(string) bool { return false }
		start := time.Now()
		c, err := e.load(context.Background())
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
		for _, p := range e.problems {
			if strings.Contains(p.Text, "interpreter failed") {
				t.Logf("%s", p) // contained, and told
			}
		}
		if err == nil {
			_, _ = c.Resolve(sampleKernel)
		}
		if diff := cmp.Diff(before, listing(t, dir)); diff != "" {
			t.Errorf("files changed:\n%s", diff)
		}
	})
}
