package box

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A Result is what a program did.
type Result struct {
	Args           []string
	Status         int // exit status, or 128+signal
	Stdout, Stderr string
	Took           time.Duration
}

// String returns the command with all that it said, for a failing test.
func (r Result) String() string {
	var b strings.Builder
	b.WriteString("$ " + strings.Join(r.Args, " ") + "\n" + r.Stdout)
	if r.Stderr != "" {
		b.WriteString("stderr: " + r.Stderr)
	}
	return b.String()
}

// commandLimit ends what hangs; the longest real command of these tests takes
// a minute.
const commandLimit = 10 * time.Minute

// Env is the environment of every program in a box: nothing of the developer's
// own.
var Env = []string{
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root", "LC_ALL=C", "TERM=dumb",
}

// Run runs a program in the box, without standard input, to its end.
func (b *Box) Run(args ...string) Result { return b.RunWith(nil, args...) }

// RunWith is Run with further environment variables.
func (b *Box) RunWith(env []string, args ...string) Result {
	b.tb.Helper()
	return b.run(env, nil, args...)
}

// Must is Run for a command that has to succeed.
func (b *Box) Must(args ...string) Result {
	b.tb.Helper()
	r := b.Run(args...)
	if r.Status != 0 {
		b.tb.Fatalf("exit status %d:\n%s", r.Status, r)
	}
	return r
}

func (b *Box) run(env []string, stdin []byte, args ...string) Result {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	r := Result{Args: args}
	var stdout, stderr bytes.Buffer
	var err error
	b.Do(func() {
		cmd := b.command(ctx, env, args)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if stdin != nil {
			cmd.Stdin = bytes.NewReader(stdin)
		}
		begin := time.Now()
		err = cmd.Run()
		r.Took = time.Since(begin)
		if cmd.ProcessState != nil {
			r.Status = status(cmd.ProcessState)
		}
	})
	r.Stdout, r.Stderr = stdout.String(), stderr.String()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		b.tb.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	if ctx.Err() != nil {
		b.tb.Fatalf("did not end within %v:\n%s", commandLimit, r)
	}
	return r
}

// command must be called within Do.
func (b *Box) command(ctx context.Context, env, args []string) *exec.Cmd {
	path := args[0]
	if !strings.Contains(path, "/") {
		for dir := range strings.SplitSeq(strings.TrimPrefix(Env[0], "PATH="), ":") {
			if info, err := os.Stat(dir + "/" + args[0]); err == nil && info.Mode()&0o111 != 0 {
				path = dir + "/" + args[0]
				break
			}
		}
	}
	cmd := exec.CommandContext(ctx, path, args[1:]...)
	cmd.Env = slices.Concat(Env, b.env, env)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

func status(s *os.ProcessState) int {
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return s.ExitCode()
}

// RunKilled starts a program and kills it, and it only, after the given time.
// It says whether the program had ended by itself before, and how long it ran.
func (b *Box) RunKilled(after time.Duration, args ...string) (ended bool, took time.Duration) {
	b.tb.Helper()
	var err error
	b.Do(func() {
		cmd := b.command(context.Background(), nil, args)
		begin := time.Now()
		if err = cmd.Start(); err != nil {
			return
		}
		exited := make(chan struct{})
		timer := time.AfterFunc(after, func() {
			select {
			case <-exited:
			default:
				_ = cmd.Process.Kill()
			}
		})
		_ = cmd.Wait()
		took = time.Since(begin)
		close(exited)
		timer.Stop()
		ended = !cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled()
	})
	if err != nil {
		b.tb.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return ended, took
}

// Unpack puts what a tar archive holds into the box's root. Links to folders
// that are there stay links, as /lib is one on a merged-usr system.
func (b *Box) Unpack(tar []byte) {
	b.tb.Helper()
	if r := b.run(nil, tar, "tar", "-x", "--keep-directory-symlink", "-C", "/"); r.Status != 0 {
		b.tb.Fatal(r)
	}
}
