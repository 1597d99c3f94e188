package jobserver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// server makes one that is closed with the test.
func server(t *testing.T, jobs int, style Style) *Server {
	t.Helper()
	s, err := New(jobs, style)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Errorf("Close = %v", err)
		}
		if _, err := os.Stat(s.path); err == nil {
			t.Errorf("%s is left", s.path)
		}
	})
	return s
}

// soon is a context for what should happen at once, or at most in a while on a
// busy machine.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func acquire(t *testing.T, s *Server) (release func()) {
	t.Helper()
	release, err := s.Acquire(soon(t))
	if err != nil {
		t.Fatalf("Acquire = %v", err)
	}
	return release
}

// refused expects that no slot can be had.
func refused(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errNone)
	defer cancel()
	if release, err := s.Acquire(ctx); !errors.Is(err, errNone) {
		t.Errorf("Acquire = %v; want none to be free", err)
		if err == nil {
			release()
		}
	}
}

var errNone = errors.New("none came")

// tokens counts what lies in the pipe.
func tokens(t *testing.T, s *Server) (n int) {
	t.Helper()
	if err := s.locked(func(fd uintptr) (err error) {
		n, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// whole expects that all slots can be had, and not one more.
func whole(t *testing.T, s *Server) {
	t.Helper()
	if n := tokens(t, s); n != s.jobs {
		t.Errorf("%d tokens in the pipe; want %d", n, s.jobs)
	}
	for range s.jobs {
		defer acquire(t, s)()
	}
	refused(t, s)
}

func TestAcquire(t *testing.T) {
	t.Parallel()
	s := server(t, 3, Pipe)
	releases := []func(){acquire(t, s), acquire(t, s), acquire(t, s)}
	refused(t, s)
	releases[1]()
	releases[1]() // again: nothing
	releases[1] = acquire(t, s)
	refused(t, s)
	for _, release := range releases {
		release()
	}
	whole(t, s)
	if s.Jobs() != 3 || server(t, -1, Pipe).Jobs() != 1 {
		t.Error("Jobs is not what was asked for")
	}
}

// Whoever waits is woken by a release, and all get one in the end.
func TestAcquireWaits(t *testing.T) {
	t.Parallel()
	s := server(t, 2, Pipe)
	ctx := soon(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	running, most := 0, 0
	for range 20 {
		all.Go(func() {
			release, err := s.Acquire(ctx)
			if err != nil {
				t.Errorf("Acquire = %v", err)
				return
			}
			defer release()
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(5 * time.Millisecond)
			mu.Lock()
			running--
			mu.Unlock()
		})
	}
	all.Wait()
	if most != 2 {
		t.Errorf("%d ran at a time; want 2", most)
	}
	whole(t, s)
}

// A wait that ended spoils no other one's.
func TestAcquireEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := server(t, 1, Pipe)
	release := acquire(t, s)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Acquire(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("Acquire = %v; want context.Canceled", err)
	}
	for range 50 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if _, err := s.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Acquire = %v; want context.DeadlineExceeded", err)
		}
		cancel()
	}
	time.AfterFunc(20*time.Millisecond, release)
	acquire(t, s)()
	whole(t, s)
}

func TestAlone(t *testing.T) {
	t.Parallel()
	s := server(t, 3, Pipe)
	a, b := acquire(t, s), acquire(t, s)
	got := make(chan func())
	go func() {
		release, err := s.Alone(soon(t))
		if err != nil {
			t.Errorf("Alone = %v", err)
		}
		got <- release
	}()
	for len(s.turn) == 0 { // until it waits
		time.Sleep(time.Millisecond)
	}
	refused(t, s) // though one is free
	a()
	select {
	case <-got:
		t.Fatal("alone, but for one")
	case <-time.After(20 * time.Millisecond):
	}
	b()
	release := <-got
	refused(t, s)
	release()
	release()
	whole(t, s)

	held := acquire(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Alone(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Alone = %v; want context.DeadlineExceeded", err)
	}
	acquire(t, s)() // others go on
	held()
}

// What a killed make has taken comes back when nobody runs, and what a
// straggler then returns is not one too many.
func TestLostTokens(t *testing.T) {
	t.Parallel()
	s := server(t, 4, Pipe)
	release, other := acquire(t, s), acquire(t, s)
	_, files, err := s.Share()
	if err != nil {
		t.Fatal(err)
	}
	lost := make([]byte, 2)
	if n, err := files[0].Read(lost); n != 2 || err != nil {
		t.Fatalf("took %d, %v", n, err)
	}
	release()
	if n := tokens(t, s); n != 1 {
		t.Errorf("%d tokens while one runs; want 1", n)
	}
	other()
	whole(t, s)
	if _, err := files[1].Write(lost); err != nil {
		t.Fatal(err)
	}
	acquire(t, s)()
	whole(t, s)
	for _, f := range files {
		f.Close()
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	s := server(t, 1, Pipe)
	release := acquire(t, s)
	waiting := make(chan error)
	for range 2 {
		go func() {
			_, err := s.Acquire(t.Context())
			waiting <- err
		}()
	}
	time.Sleep(10 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	for range 2 {
		if err := <-waiting; !errors.Is(err, ErrClosed) {
			t.Errorf("Acquire = %v; want ErrClosed", err)
		}
	}
	release() // too late, and harmless
	if _, err := s.Acquire(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Acquire = %v; want ErrClosed", err)
	}
}

// There is nothing to share with one job, or with a make that cannot.
func TestShareNothing(t *testing.T) {
	t.Parallel()
	for _, s := range []*Server{server(t, 1, Pipe), server(t, 8, None)} {
		if flags, files, err := s.Share(); flags != "" || files != nil || err != nil {
			t.Errorf("Share = %q, %v, %v; want nothing", flags, files, err)
		}
		whole(t, s)
	}
	s := server(t, 2, FIFO)
	if flags, files, err := s.Share(); flags != "-j2 --jobserver-auth=fifo:"+s.path || files != nil || err != nil {
		t.Errorf("Share = %q, %v, %v; want the pipe's path", flags, files, err)
	}
}

// What a server left that was killed is removed by the next one, and nothing
// of one that lives.
func TestNewRemovesWhatIsLeft(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	left := filepath.Join(parent, prefix+"left")
	if err := os.Mkdir(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(left, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	first, err := open(parent, 2, Pipe)
	if err != nil {
		t.Fatal(err)
	}
	second, err := open(parent, 2, Pipe)
	if err != nil {
		t.Fatal(err)
	}
	dirs, err := os.ReadDir(parent)
	if err != nil || len(dirs) != 2 {
		t.Errorf("%v, %v; want the two that live", dirs, err)
	}
	whole(t, first)
	whole(t, second)
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Error(err)
	}
	if dirs, err = os.ReadDir(parent); err != nil || len(dirs) != 0 {
		t.Errorf("%v, %v; want nothing left", dirs, err)
	}
	if _, err := open(filepath.Join(parent, "none"), 2, Pipe); err == nil {
		t.Error("a server where there is no directory")
	}
}
