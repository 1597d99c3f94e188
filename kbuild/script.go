package kbuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Script is one of the scripts that a dkms.conf may name: PRE_BUILD,
// POST_INSTALL and so on.
type Script struct {
	Kind string // directive that names it, such as POST_INSTALL
	Line string // its value: program and arguments, separated by white space
	Ref  dkms.Ref
	Dir  string // where it lies and runs: the source, or the build directory
	// EtcDir is /etc/dkms/NAME: an executable of the same name there wins.
	EtcDir  string
	Env     []string      // complete environment; nil is ours
	Timeout time.Duration // how long it may print nothing; 0 is for ever
	Stdout  io.Writer     // for its standard output and error; nil discards
	Warn    func(string)  // told when there is nothing to execute; nil is allowed
	Follow  bool          // as in system.Command
	// Spent is as in system.Command.
	Spent *time.Duration
}

// RunScript runs s. An empty Line is nothing to do, and a program that is
// missing or not executable is a warning, as it is for DKMS. A script that
// fails is an error of Kind ScriptFailed with its exit status in Status.
func RunScript(ctx context.Context, s Script) error {
	words := strings.Fields(s.Line)
	if len(words) == 0 {
		return nil
	}
	program, why := s.find(words[0])
	if why != "" {
		if s.Warn != nil {
			s.Warn(fmt.Sprintf("%s %s: %s, so it is not run", s.Kind, words[0], why))
		}
		return nil
	}
	err := s.exec(ctx, append([]string{program}, words[1:]...))
	if errors.Is(err, syscall.ENOEXEC) { // no #! line: shells take it as their own
		err = s.exec(ctx, append([]string{shell(s.Env), program}, words[1:]...))
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return err
	}
	return s.failure(program, err)
}

// find returns the file to execute, or why there is none.
func (s Script) find(word string) (program, why string) {
	if path := s.override(word); path != "" {
		return path, ""
	}
	path := filepath.Join(s.Dir, word)
	if system.Executable(path) {
		return path, ""
	}
	if system.Exists(path) {
		return "", "is not executable"
	}
	return "", "does not exist"
}

// override returns the executable of EtcDir that wins over the source's, if
// there is one.
func (s Script) override(word string) string {
	if s.EtcDir == "" || !filepath.IsLocal(word) {
		return ""
	}
	if path := filepath.Join(s.EtcDir, word); system.Executable(path) {
		return path
	}
	return ""
}

func (s Script) exec(ctx context.Context, args []string) error {
	return system.Run(ctx, system.Command{
		Args: args, Dir: s.Dir, Env: within(s.Env, s.Dir), Stdout: s.Stdout, Stderr: s.Stdout, Silence: s.Timeout, Follow: s.Follow, Spent: s.Spent,
	})
}

// failure is how a script's error is passed on: with its own exit status, or
// with what a shell would give.
func (s Script) failure(program string, err error) error {
	failed := &dkms.Error{Kind: dkms.ScriptFailed, Problem: fmt.Sprintf("%s %q failed", s.Kind, s.Line), Status: 126, Err: err}
	if s.Ref != (dkms.Ref{}) {
		failed.Object = s.Ref.String()
	}
	var exit *system.ExitError
	switch {
	case errors.As(err, &exit):
		failed.Status = exit.Status
	case errors.Is(err, system.ErrSilent):
		failed.Status = 124 // as timeout(1)
	case errors.Is(err, fs.ErrNotExist):
		failed.Status = 127
		failed.Err = errors.New(missingInterpreter(program))
	}
	return failed
}

// missingInterpreter explains why a script that is there cannot be found by
// execve(2).
func missingInterpreter(program string) string {
	head := make([]byte, 256)
	f, err := os.Open(program)
	if err != nil {
		return "its interpreter is missing"
	}
	defer f.Close()
	n, _ := io.ReadFull(f, head)
	line, _, _ := bytes.Cut(head[:n], []byte("\n"))
	name, ok := bytes.CutPrefix(line, []byte("#!"))
	switch {
	case !ok:
		return "its dynamic linker is missing"
	case bytes.HasSuffix(name, []byte("\r")):
		return fmt.Sprintf("its lines end in CR LF, so its interpreter would be %q", bytes.TrimSpace(append(bytes.TrimRight(name, "\r"), "\\r"...)))
	}
	return fmt.Sprintf("its interpreter %s is missing", bytes.TrimSpace(name))
}

// shell is the shell that runs commands: bash, as with DKMS, or sh where
// there is none.
func shell(env []string) string {
	if _, err := system.LookPath("bash", env); err == nil {
		return "bash"
	}
	return "sh"
}

// within returns env with PWD naming dir, by which a shell keeps a path that
// leads over links.
func within(env []string, dir string) []string {
	if env == nil {
		env = os.Environ()
	}
	return unique(append(env[:len(env):len(env)], "PWD="+dir))
}
