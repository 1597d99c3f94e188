package kbuild

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// As the other actions run theirs: in the source, with our own environment.
func TestRunScript(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "sub", "show.sh"), "#!/bin/sh\necho \"$PWD|$#|$2\"\nexit ${3:-0}\n", 0o755)
	ref := dkms.Ref{Package: dkms.Package{Name: "a", Version: "1"}, KernelID: dkms.KernelID{Release: "6.1", Arch: "x86_64"}}
	for _, c := range []struct {
		line, out, err string
		status         int
		warning        string
	}{
		{line: ""},
		{line: " \n\t "},
		{line: "sub/show.sh", out: "DIR|0|\n"},
		{line: "./sub/show.sh a\n  'b c'", out: "DIR|3|'b\n", err: "", status: 2},
		{line: "sub/show.sh a b 5", out: "DIR|3|b\n", err: "a/1/6.1/x86_64: POST_ADD \"sub/show.sh a b 5\" failed: ", status: 5},
		{line: "none.sh", warning: "POST_ADD none.sh: does not exist, so it is not run"},
		{line: "sub", warning: "POST_ADD sub: is not executable, so it is not run"},
	} {
		var out bytes.Buffer
		warning := ""
		err := RunScript(context.Background(), Script{
			Kind: "POST_ADD", Line: c.line, Ref: ref, Dir: dir, Stdout: &out, Warn: func(s string) { warning = s },
		})
		if got := strings.ReplaceAll(out.String(), dir, "DIR"); !strings.HasPrefix(got, c.out) || c.out == "" && got != "" || warning != c.warning {
			t.Errorf("RunScript(%q) printed %q, warned %q; want %q, %q", c.line, got, warning, c.out, c.warning)
		}
		var known *dkms.Error
		if errors.As(err, &known) != (c.status != 0) || known != nil && (known.Status != c.status || !strings.HasPrefix(known.Error(), c.err)) {
			t.Errorf("RunScript(%q) = %v; want status %d, %q", c.line, err, c.status, c.err)
		}
	}
	if err := RunScript(context.Background(), Script{Line: "none", Dir: dir}); err != nil {
		t.Errorf("RunScript of what is missing, without Warn = %v; want nil", err)
	}
}
