package jobserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Server is a number of jobs that makes share. In its pipe lies one byte, a
// token, for each job that may be started. A make runs its first job without a
// token: for that one whoever runs the make holds a token, by Acquire.
//
// The pipe has a name, because only who opens it by name gets an open file of
// his own, and with it flags of his own: make 4.3 sets O_NONBLOCK on what it is
// handed, make 4.1 cannot live with it, and we ourselves need it.
type Server struct {
	jobs  int
	style Style
	dir   *os.File // locked for as long as we live
	path  string   // of the pipe, in dir

	pipe *os.File      // both ends, non-blocking
	turn chan struct{} // holds who may take from the pipe

	mu    sync.Mutex
	slots int           // held, by Acquire
	idle  chan struct{} // closed when no slot is held; nil when nobody waits for that
}

// ErrClosed is returned by the methods of a Server that was closed.
var ErrClosed = errors.New("jobserver: closed")

// New makes a server of so many jobs, at least one, for makes of the given
// style. Its pipe lies in /run, or else in the directory for temporary files.
func New(jobs int, style Style) (*Server, error) {
	var errs []error
	for _, parent := range []string{"/run", os.TempDir()} {
		s, err := open(parent, max(jobs, 1), style)
		if err == nil {
			return s, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("jobserver: %w", errors.Join(errs...))
}

func open(parent string, jobs int, style Style) (_ *Server, err error) {
	dir, err := newDirectory(parent)
	if err != nil {
		return nil, err
	}
	s := &Server{jobs: jobs, style: style, dir: dir, path: filepath.Join(dir.Name(), "pipe"), turn: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	if err := unix.Mkfifo(s.path, 0o600); err != nil {
		return nil, &os.PathError{Op: "mkfifo", Path: s.path, Err: err}
	}
	if s.pipe, err = os.OpenFile(s.path, os.O_RDWR|unix.O_NONBLOCK, 0); err != nil {
		return nil, err
	}
	return s, s.locked(s.settle)
}

// Jobs returns how many jobs there are.
func (s *Server) Jobs() int { return s.jobs }

// Acquire waits for a slot to run one make, or one command that may run some,
// and one after the other. release gives it back, and may be called again. When
// ctx ends first, the error is its cause.
func (s *Server) Acquire(ctx context.Context) (release func(), err error) {
	done, err := s.waitTurn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := s.take(ctx); err != nil {
		return nil, err
	}
	return sync.OnceFunc(s.giveBack), nil
}

// Alone waits until no slot is held, and keeps it so until release: what the
// caller runs meanwhile is alone. He must hold no slot himself.
func (s *Server) Alone(ctx context.Context) (release func(), err error) {
	done, err := s.waitTurn(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case <-s.whenIdle():
		return done, nil
	case <-ctx.Done():
		done()
		return nil, context.Cause(ctx)
	}
}

// waitTurn waits until nobody else takes from the pipe.
func (s *Server) waitTurn(ctx context.Context) (done func(), err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case s.turn <- struct{}{}:
		return sync.OnceFunc(func() { <-s.turn }), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// take takes one token, and counts it in the same instant.
func (s *Server) take(ctx context.Context) error {
	raw, err := s.pipe.SyscallConn()
	if err != nil {
		return ErrClosed
	}
	if err := s.pipe.SetReadDeadline(time.Time{}); err != nil {
		return ErrClosed
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		_ = s.pipe.SetReadDeadline(time.Unix(1, 0))
	})
	defer func() {
		if !stop() {
			<-ended // or it would end the next one's wait
		}
	}()
	var failed error
	err = raw.Read(func(fd uintptr) (ready bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		n, err := readOne(fd)
		if errors.Is(err, unix.EAGAIN) {
			return false
		}
		if s.slots += n; err != nil {
			failed = os.NewSyscallError("read", err)
		}
		return true
	})
	switch {
	case err == nil:
		return failed
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return ErrClosed
}

// giveBack returns the token of one slot.
func (s *Server) giveBack() {
	_ = s.locked(func(fd uintptr) error {
		s.slots--
		err := write(fd, 1)
		if s.slots == 0 && s.idle != nil {
			close(s.idle)
			s.idle = nil
		}
		return errors.Join(err, s.settle(fd))
	})
}

// whenIdle returns a channel that is closed when no slot is held.
func (s *Server) whenIdle() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slots == 0 {
		idle := make(chan struct{})
		close(idle)
		return idle
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	return s.idle
}

// settle has the pipe hold what it should. A make that was killed returns none
// of the tokens of its jobs, so these come back when nobody holds a slot: then
// all belong in the pipe. There are never more than jobs: one that is returned
// after all, by a straggler, is dropped.
func (s *Server) settle(fd uintptr) error {
	have, err := unix.IoctlGetInt(int(fd), unix.TIOCINQ)
	if err != nil {
		return os.NewSyscallError("ioctl", err)
	}
	for ; have+s.slots > s.jobs; have-- {
		if _, err := readOne(fd); err != nil {
			return nil // a make was faster
		}
	}
	if s.slots == 0 && have < s.jobs {
		return write(fd, s.jobs-have)
	}
	return nil
}

// locked runs fn with the pipe's descriptor, alone.
func (s *Server) locked(fn func(fd uintptr) error) error {
	raw, err := s.pipe.SyscallConn()
	if err != nil {
		return ErrClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = fn(fd) }); err != nil {
		return ErrClosed
	}
	return failed
}

// Share returns what lets one make share the jobs: the text for MAKEFLAGS, and
// the files to hand down as descriptors 3 and 4, to be closed when it has
// ended. Both are empty where there is nothing to share: one job, or no GNU
// make.
func (s *Server) Share() (flags string, files []*os.File, err error) {
	if s.jobs == 1 || s.style == None {
		return "", nil, nil
	}
	flags = s.style.flags(s.jobs, s.path)
	if s.style == FIFO {
		return flags, nil, nil
	}
	// Not by os.OpenFile, whose files are made blocking when they are handed
	// down, whatever the make before has set.
	for _, mode := range []int{unix.O_RDONLY, unix.O_WRONLY} {
		fd, err := unix.Open(s.path, mode|unix.O_CLOEXEC, 0) // waits not: our own has both ends open
		if err != nil {
			for _, f := range files {
				f.Close()
			}
			return "", nil, &os.PathError{Op: "open", Path: s.path, Err: err}
		}
		files = append(files, os.NewFile(uintptr(fd), s.path))
	}
	return flags, files, nil
}

// Close removes the pipe. Who waits in Acquire gets ErrClosed.
func (s *Server) Close() error {
	var err error
	if s.pipe != nil {
		err = s.pipe.Close()
	}
	return errors.Join(err, os.RemoveAll(s.dir.Name()), s.dir.Close())
}

// readOne reads one token.
func readOne(fd uintptr) (n int, err error) {
	var token [1]byte
	for {
		n, err = unix.Read(int(fd), token[:])
		if !errors.Is(err, unix.EINTR) {
			return max(n, 0), err
		}
	}
}

// write puts n tokens in the pipe, which has room for more than any machine has
// jobs.
func write(fd uintptr, n int) error {
	tokens := make([]byte, n)
	for i := range tokens {
		tokens[i] = '+'
	}
	for {
		_, err := unix.Write(int(fd), tokens)
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("write", err)
		}
	}
}
