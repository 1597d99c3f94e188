package conf

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// memoryLimit bounds what one pipe or one file of an evaluation may hold.
const memoryLimit = 16 << 20

var errTooMuch = errors.New("more than 16 MiB of output")

// pipes are the memories that stand for the pipes of a program. A node of the
// program that runs again while it is running, by recursion, has several.
type pipes struct {
	open map[string][]*os.File
	kept []*os.File // what process substitutions named
}

// create makes the memory that a command writes to.
func (p *pipes) create(path string) (io.ReadWriteCloser, error) {
	fd, err := unix.MemfdCreate("dkms-conf", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, &os.PathError{Op: "memfd_create", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	if p.open == nil {
		p.open = map[string][]*os.File{}
	}
	p.open[path] = append(p.open[path], f)
	return &limitedFile{File: f}, nil
}

// take returns the latest memory of path, to be read from its start.
func (p *pipes) take(path string) (*os.File, error) {
	stack := p.open[path]
	if len(stack) == 0 {
		return os.Open(os.DevNull)
	}
	f := stack[len(stack)-1]
	p.open[path] = stack[:len(stack)-1]
	_, err := f.Seek(0, io.SeekStart)
	return f, err
}

// keep takes the memory of path and returns a name that works in this process
// and in programs it starts, until close.
func (p *pipes) keep(path string) (string, error) {
	f, err := p.take(path)
	if err != nil {
		return "", err
	}
	p.kept = append(p.kept, f)
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd()), nil
}

func (p *pipes) close() {
	for _, stack := range p.open {
		for _, f := range stack {
			f.Close()
		}
	}
	for _, f := range p.kept {
		f.Close()
	}
}

// limitedFile refuses to grow beyond memoryLimit. Closing it leaves the file
// to its reader.
type limitedFile struct {
	*os.File
	size int
}

func (f *limitedFile) Write(b []byte) (int, error) {
	if f.size += len(b); f.size > memoryLimit {
		return 0, errTooMuch
	}
	if _, err := f.File.WriteString(decode(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (f *limitedFile) Close() error { return nil }

// read returns the content of what keep named, by its descriptor.
func (p *pipes) read(fd string) ([]byte, error) {
	for _, f := range p.kept {
		if fmt.Sprint(f.Fd()) == fd {
			return io.ReadAll(io.NewSectionReader(f, 0, memoryLimit))
		}
	}
	return nil, os.ErrNotExist
}
