package system

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Command is one program to run. Its standard input is /dev/null unless Stdin
// is given, it leads a process group of its own, and the whole group is killed
// when the context ends, when it has been silent for too long.
type Command struct {
	Args   []string  // program (looked up in Env's PATH) and arguments
	Dir    string    // working directory; empty is ours
	Env    []string  // complete environment; nil is ours
	Stdin  io.Reader // nil is /dev/null
	Stdout io.Writer // nil discards
	Stderr io.Writer // nil discards; may equal Stdout
	// Files are handed down, open, as descriptors 3, 4 and so on. They have to
	// stay open until Run returns, and are best from os.NewFile: what the
	// runtime polls it makes blocking when it hands it down.
	Files []*os.File
	// Silence is how long the command may print nothing before it is ended;
	// zero is for ever.
	Silence time.Duration
	// Spent, if set, grows by the processor time that the program took, and all
	// that it has started and waited for.
	Spent *time.Duration
	// Follow has the program killed when the thread that started it ends, so
	// when we are killed. Only for callers that hold their thread: WithView.
	Follow bool
}

// ErrSilent is returned for a command that was ended because it printed
// nothing for Command.Silence.
var ErrSilent = errors.New("printed nothing for too long and was ended")

// ExitError is returned for a command that ran and did not succeed.
type ExitError struct {
	Program string
	Status  int            // exit status, or 128+signal
	Signal  syscall.Signal // zero when it exited by itself
}

// Error returns "PROGRAM: exit status N" or "PROGRAM: killed by signal".
func (e *ExitError) Error() string {
	if e.Signal != 0 {
		return fmt.Sprintf("%s: ended by signal %d (%s)", e.Program, int(e.Signal), e.Signal)
	}
	return fmt.Sprintf("%s: exit status %d", e.Program, e.Status)
}

// devNull is opened once, before any change of root, because an image may lack
// a /dev.
var devNull = sync.OnceValues(func() (*os.File, error) { return os.OpenFile(os.DevNull, os.O_RDWR, 0) })

// Run runs c to its end. A program that cannot be found gives exec.ErrNotFound.
func Run(ctx context.Context, c Command) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path, err := LookPath(c.Args[0], c.Env)
	if err != nil {
		return err
	}
	pulse := &pulse{}
	cmd, err := start(path, c, pulse)
	if err != nil {
		return err
	}
	stop := watch(ctx, -cmd.Process.Pid, pulse, c.Silence)
	err = cmd.Wait()
	if c.Spent != nil && cmd.ProcessState != nil {
		*c.Spent += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	why := stop()
	if why != nil {
		await(-cmd.Process.Pid)
	}
	if why != nil && err != nil {
		return why
	}
	return exitError(c.Args[0], err)
}

// await waits until nobody is left in the killed process group: a process that
// was sent SIGKILL may still write a moment before it meets it. Under a process
// 1 that leaves its children unreaped the group never empties, so the wait has
// an end.
func await(pgid int) {
	for wait := time.Millisecond; wait < time.Second; wait *= 2 {
		if errors.Is(syscall.Kill(pgid, 0), syscall.ESRCH) {
			return
		}
		time.Sleep(wait)
	}
}

// start starts c. A file that was written a moment ago can be busy because a
// process that another thread is just forking still holds it (ETXTBSY, see
// go.dev/issue/22315); that passes.
func start(path string, c Command, p *pulse) (*exec.Cmd, error) {
	for try := 0; ; try++ {
		cmd, err := c.prepare(path, p)
		if err != nil {
			return nil, err
		}
		p.beat()
		err = cmd.Start()
		if err == nil || try == 10 || !errors.Is(err, syscall.ETXTBSY) {
			return cmd, err
		}
		time.Sleep(time.Duration(try+1) * 5 * time.Millisecond)
	}
}

func (c Command) prepare(path string, p *pulse) (*exec.Cmd, error) {
	cmd := exec.Command(path)
	cmd.Args, cmd.Dir, cmd.Env, cmd.ExtraFiles = c.Args, c.Dir, c.Env, c.Files
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.Follow {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	if cmd.Stdin = c.Stdin; c.Stdin == nil {
		null, err := devNull()
		if err != nil {
			return nil, err
		}
		cmd.Stdin = null
	}
	cmd.Stdout = p.watch(c.Stdout)
	cmd.Stderr = cmd.Stdout
	if !sameWriter(c.Stdout, c.Stderr) {
		cmd.Stderr = p.watch(c.Stderr)
	}
	// A grandchild that keeps our pipe open must not keep us waiting.
	cmd.WaitDelay = 2 * time.Second
	return cmd, nil
}

// sameWriter reports whether a and b are one writer. Writers that cannot be
// compared, such as functions, are two.
func sameWriter(a, b io.Writer) (same bool) {
	defer func() { _ = recover() }()
	return a == b
}

// Output runs c and returns what it printed on standard output.
func Output(ctx context.Context, c Command) ([]byte, error) {
	var out limitedBuffer
	c.Stdout = &out
	err := Run(ctx, c)
	return out.data, err
}

// watch kills the process group pgid when ctx ends or the pulse stops; the
// returned function ends the watching and says why it killed, if it did.
func watch(ctx context.Context, pgid int, p *pulse, silence time.Duration) func() error {
	done := make(chan struct{})
	reason := make(chan error, 1)
	go func() {
		tick := time.NewTicker(max(silence/20, 10*time.Millisecond))
		defer tick.Stop()
		if silence == 0 {
			tick.Stop()
		}
		for {
			select {
			case <-done:
				reason <- nil
				return
			case <-ctx.Done():
				reason <- kill(pgid, done, context.Cause(ctx))
				return
			case <-tick.C:
				if p.since() > silence {
					reason <- kill(pgid, done, ErrSilent)
					return
				}
			}
		}
	}()
	return func() error { close(done); return <-reason }
}

// kill ends the process group and returns why, unless the command has ended by
// itself: then its number may be another's already.
func kill(pgid int, done <-chan struct{}, why error) error {
	select {
	case <-done:
		return nil
	default:
	}
	_ = syscall.Kill(pgid, syscall.SIGKILL)
	return why
}

func exitError(program string, err error) error {
	var ee *exec.ExitError
	if !errors.As(err, &ee) {
		if errors.Is(err, exec.ErrWaitDelay) {
			return nil // it ended well; a background child held the pipe
		}
		return err
	}
	ws, ok := ee.Sys().(syscall.WaitStatus)
	if ok && ws.Signaled() {
		return &ExitError{Program: program, Status: 128 + int(ws.Signal()), Signal: ws.Signal()}
	}
	return &ExitError{Program: program, Status: ee.ExitCode()}
}

// pulse remembers when something was last written.
type pulse struct{ last atomic.Int64 }

func (p *pulse) beat()                { p.last.Store(time.Now().UnixNano()) }
func (p *pulse) since() time.Duration { return time.Duration(time.Now().UnixNano() - p.last.Load()) }

func (p *pulse) watch(w io.Writer) io.Writer {
	if w == nil {
		w = io.Discard
	}
	return &pulsed{p, w}
}

// pulsed is a pointer so that os/exec sees when standard output and error are
// one writer, and gives the child one pipe for both: lines keep their order.
type pulsed struct {
	pulse *pulse
	w     io.Writer
}

func (p *pulsed) Write(b []byte) (int, error) {
	p.pulse.beat()
	return p.w.Write(b)
}

// limitedBuffer keeps the first 16 MiB, so that a mad program cannot eat the
// memory of a package transaction.
type limitedBuffer struct{ data []byte }

const outputLimit = 16 << 20

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if room := outputLimit - len(b.data); room > 0 {
		b.data = append(b.data, p[:min(room, len(p))]...)
	}
	return len(p), nil
}
