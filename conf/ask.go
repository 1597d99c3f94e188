package conf

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/interp"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// askLimit bounds what a question may be about and what is remembered of an
// answer, bytes each.
const askLimit = 64 << 10

// A question is all that the answer of a program that only reads depends on,
// besides the machine.
type question [sha256.Size]byte

// An answer is what a program has printed and returned.
type answer struct {
	stdout, problems []byte
	status           error
	input            int64 // where its input was left
}

// ask runs a program by run, or repeats what it has answered another evaluation.
func (e *evaluation) ask(ctx context.Context, hc interp.HandlerContext, args, env []string, run func(interp.HandlerContext) error) error {
	q, ok := e.question(hc, args, env)
	if !ok {
		return run(hc)
	}
	a, known, tell := e.request.Shared.answer(ctx, q)
	if !known {
		whole := false
		defer func() { tell(a, whole) }()
		a, whole = listen(hc, run)
		return a.status
	}
	if in, ok := hc.Stdin.(*os.File); ok {
		if _, err := in.Seek(a.input, io.SeekStart); err != nil {
			return err
		}
	}
	_, err := hc.Stdout.Write(a.stdout)
	_, errP := hc.Stderr.Write(a.problems)
	if err != nil || errP != nil {
		return interp.ExitStatus(141) // as child has it
	}
	return a.status
}

// listen runs a program and returns what it answers, and whether that is all.
func listen(hc interp.HandlerContext, run func(interp.HandlerContext) error) (a answer, whole bool) {
	in, hasInput := hc.Stdin.(*os.File)
	var stdout, problems memory
	hc.Stdout, hc.Stderr = io.MultiWriter(hc.Stdout, &stdout), io.MultiWriter(hc.Stderr, &problems)
	a.status = run(hc)
	var status interp.ExitStatus
	if a.status != nil && (!errors.As(a.status, &status) || status > 123) || stdout.full || problems.full {
		return a, false // it may not have come to its end
	}
	if hasInput {
		var err error
		if a.input, err = in.Seek(0, io.SeekCurrent); err != nil {
			return a, false
		}
	}
	a.stdout, a.problems = stdout.text, problems.text
	return a, true
}

// memory remembers what is written to it, up to askLimit.
type memory struct {
	text []byte
	full bool
}

func (m *memory) Write(b []byte) (int, error) {
	if m.full = m.full || len(m.text)+len(b) > askLimit; m.full {
		m.text = nil
	} else {
		m.text = append(m.text, b...)
	}
	return len(b), nil
}

// question reports whether a program, args[0] being its path, only reads, so that
// two that ask the same are told the same. After one that may have written, if only to
// the sandbox's /tmp, none is.
func (e *evaluation) question(hc interp.HandlerContext, args, env []string) (q question, ok bool) {
	e.touched = e.touched || !onlyReads(args)
	if e.shared() == nil || hc.Stdout == hc.Stderr || isProcess(hc.Dir) || slices.ContainsFunc(args, isProcess) {
		return q, false
	}
	h := sha256.New()
	list := func(words []string) {
		for _, word := range words {
			h.Write(append([]byte(word), 0))
		}
		h.Write([]byte{0})
	}
	list(args)
	list(slices.Sorted(slices.Values(env)))
	list([]string{hc.Dir})
	if hc.Stdin != nil {
		in, isFile := hc.Stdin.(*os.File)
		if !isFile || !hashInput(h, in) {
			return q, false
		}
	}
	return question(h.Sum(nil)), true
}

// isProcess reports whether a word may name what differs from process to process, or
// from one evaluation to the next: a process substitution.
func isProcess(word string) bool { return strings.Contains(word, "/proc/") }

// hashInput adds to h where in stands and all of its text, which a program can read
// from its start again by /dev/stdin. in stays as it is.
func hashInput(h io.Writer, in *os.File) bool {
	info, err := in.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	at, err := in.Seek(0, io.SeekCurrent)
	if err != nil || info.Size() > askLimit {
		return false
	}
	text := make([]byte, info.Size())
	n, err := in.ReadAt(text, 0)
	if n < len(text) && err != nil {
		return false
	}
	_, err = h.Write(append([]byte{byte(at), byte(at >> 8), byte(at >> 16)}, text...))
	return err == nil
}

// onlyReads reports whether a program of the system's, by its path, reads and prints
// and does nothing else when it is called like this. Of sed, whose scripts may write,
// that is not known.
func onlyReads(args []string) bool {
	dir, name := filepath.Split(args[0])
	if !slices.Contains(filepath.SplitList(system.SafePath), strings.TrimSuffix(dir, "/")) {
		return false
	}
	if name == "find" {
		return !slices.ContainsFunc(args[1:], isFindAction)
	}
	judge, known := guards[name]
	if !known {
		return false
	}
	safe, ok := judge(args[1:])
	return ok && slices.Equal(safe, args[1:])
}

// isFindAction reports whether a word has find(1) write a file, remove one or start
// a program.
func isFindAction(word string) bool {
	return word == "-delete" || word == "-fls" || strings.HasPrefix(word, "-exec") || strings.HasPrefix(word, "-ok") || strings.HasPrefix(word, "-fprint")
}
