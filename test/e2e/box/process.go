package box

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Start starts a program in the box, without standard input. The function that
// it returns waits for its end, once.
func (b *Box) Start(args ...string) (wait func() Result) {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	r := Result{Args: args}
	var stdout, stderr bytes.Buffer
	done := make(chan error, 1)
	var err error
	begin := time.Now()
	b.Do(func() {
		cmd := b.command(ctx, nil, args)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err = cmd.Start(); err != nil {
			return
		}
		go func() {
			_ = cmd.Wait()
			r.Status = status(cmd.ProcessState)
			done <- ctx.Err()
		}()
	})
	if err != nil {
		cancel()
		b.tb.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return func() Result {
		b.tb.Helper()
		err := <-done
		cancel()
		r.Took = time.Since(begin)
		r.Stdout, r.Stderr = stdout.String(), stderr.String()
		if err != nil {
			b.tb.Fatalf("did not end within %v:\n%s", commandLimit, r)
		}
		return r
	}
}

// Processes returns the processes whose root is the box's and that run one of
// the programs, which are named by their file's base name; without names, all.
func (b *Box) Processes(programs ...string) (pids []int) {
	b.Do(func() {
		root, err := os.Stat("/")
		if err != nil {
			return
		}
		dirs, _ := filepath.Glob("/proc/[0-9]*")
		for _, dir := range dirs {
			theirs, err := os.Stat(dir + "/root")
			pid, _ := strconv.Atoi(filepath.Base(dir))
			if err != nil || pid == os.Getpid() || !os.SameFile(root, theirs) {
				continue
			}
			exe, _ := os.Readlink(dir + "/exe")
			for _, p := range programs {
				if filepath.Base(exe) == p {
					pids = append(pids, pid)
				}
			}
			if len(programs) == 0 {
				pids = append(pids, pid)
			}
		}
	})
	return pids
}

// Kill sends SIGKILL to the processes that Processes finds, and says how many
// there were.
func (b *Box) Kill(programs ...string) int {
	killed := 0
	for _, pid := range b.Processes(programs...) {
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	return killed
}

// Settle waits until no process runs in the box.
func (b *Box) Settle() {
	b.tb.Helper()
	for begin := time.Now(); len(b.Processes()) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > commandLimit {
			b.tb.Fatalf("processes %v did not end within %v", b.Processes(), commandLimit)
		}
	}
}
