package kbuild

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// compiler is what would compile modules for one kernel.
type compiler struct {
	cc    string // program, and arguments perhaps: "ccache gcc"
	path  string // PATH
	lacks string // what the kernel was built with and is not here
}

// compiler chooses as a build does: build_environment's CC, else that of the
// kernel's configuration, else make's default for a kernel, gcc.
func (k Kernel) compiler(env []string) compiler {
	path := pathFrom(os.Environ())
	t := k.toolchain(path)
	c := compiler{cc: t.CC, path: path, lacks: strings.Join(t.Missing, ", ")}
	if c.cc == "" {
		c.cc = t.Instead
	}
	if c.cc == "" && len(t.Missing) == 0 {
		c.cc = "gcc"
	}
	for _, pair := range env {
		switch name, value, _ := strings.Cut(pair, "="); name {
		case "CC":
			c.cc, c.lacks = value, ""
		case "PATH":
			c.path = value
		}
	}
	return c
}

func (c compiler) key() string { return c.cc + "\x00" + c.path + "\x00" + c.lacks }

// compilerSilence is how long a compiler may think about its own version.
const compilerSilence = 30 * time.Second

// version returns the first line of `CC --version`, or what there is instead:
// "gcc-12 is missing", "gcc (Debian 12.2.0-14) 12.2.0 (gcc-12 is missing)".
func (c compiler) version(ctx context.Context) (string, error) {
	text := ""
	if args := strings.Fields(c.cc); len(args) > 0 {
		out, err := system.Output(ctx, system.Command{
			Args: append(args, "--version"), Silence: compilerSilence,
			Env: append(cleaned(os.Environ()), "LC_ALL=C", "LANG=C", "PATH="+c.path),
		})
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if text = firstLine(out); err != nil || text == "" {
			text = ""
			if c.lacks == "" {
				c.lacks = c.cc
			}
		}
	}
	switch {
	case c.lacks == "":
		return text, nil
	case text == "":
		return oneLine(c.lacks) + " is missing", nil
	}
	return fmt.Sprintf("%s (%s is missing)", text, oneLine(c.lacks)), nil
}

func firstLine(out []byte) string {
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		if text := oneLine(lines.Text()); text != "" {
			return text
		}
	}
	return ""
}

// oneLine makes s fit for a line of a record, and for JSON.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	const most = 200
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
