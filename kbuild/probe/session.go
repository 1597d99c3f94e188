package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Build is what is to be known of a build.
type Build struct {
	Kernel string   // directory of the kernel's headers
	Bin    string   // private directory of the build, in Env's PATH perhaps
	Env    []string // its environment
}

// Session is the use of a Memory by one build.
type Session struct {
	memory *Memory
	build  Build
	began  time.Time
}

// Start writes the makefile of one build into b.Bin. An error says why it has
// to do without; nothing has changed then.
func (m *Memory) Start(ctx context.Context, b Build) (*Session, error) {
	s := &Session{memory: m, build: b, began: time.Now()}
	kernel, err := filepath.EvalSymlinks(b.Kernel)
	if err != nil {
		return nil, err
	}
	for _, path := range []string{kernel, s.makefile()} {
		if !plain().MatchString(path) {
			return nil, fmt.Errorf("%q: no name for a makefile", path)
		}
	}
	path := searchPath(b.Env)
	if path == "" || strings.ContainsAny(path, "$#\\\n\r") || strings.TrimSpace(path) != path {
		return nil, errors.New("PATH: no text for a makefile")
	}
	for _, pair := range b.Env {
		if name, value, _ := strings.Cut(pair, "="); value != "" && (name == "MAKEFILES" || slices.Contains(guarded, name)) {
			return nil, errors.New(name + ": is set")
		}
	}
	known, err := definition(kernel)
	if err != nil {
		return nil, err
	}
	answers, err := m.load()
	if err != nil {
		return nil, err
	}
	answers = slices.DeleteFunc(answers, func(a answer) bool { return !a.certain() || !s.current(ctx, a) })
	text := fill(kernel, path, known, s.log(), s.makefile(), answers)
	// For our eyes only: who cannot write the log must not read this.
	return s, os.WriteFile(s.makefile(), []byte(text), 0o600)
}

func (s *Session) makefile() string { return filepath.Join(s.build.Bin, "probes.mk") }
func (s *Session) log() string      { return filepath.Join(s.build.Bin, "probes.log") }

// Environ has every make of the build read the makefile.
func (s *Session) Environ() []string { return []string{"MAKEFILES=" + s.makefile()} }

// current reports whether a is of the programs that are here now.
func (s *Session) current(ctx context.Context, a answer) bool {
	asked, ok := a.programs()
	if !ok {
		return false
	}
	id, err := s.memory.tools.of(ctx, asked, s.build.Env, s.build.Bin)
	return err == nil && id.digest() == a.Tools
}

// Learn keeps what a build that succeeded has heard. Of programs that changed
// meanwhile it is not known which of them spoke.
func (s *Session) Learn(ctx context.Context) error {
	log, err := os.ReadFile(s.log())
	if errors.Is(err, os.ErrNotExist) {
		return nil // all was known
	}
	if err != nil {
		return err
	}
	var news []answer
	for _, a := range heard(string(log)) {
		asked, ok := a.programs()
		if !ok {
			continue
		}
		id, err := s.memory.tools.of(ctx, asked, s.build.Env, s.build.Bin)
		if err != nil || id.newest >= s.began.Add(-racy).UnixNano() {
			continue
		}
		a.Tools = id.digest()
		news = append(news, a)
	}
	if len(news) == 0 {
		return nil
	}
	return s.memory.keep(news)
}

// racy is how old a change must be to be told from one that comes later: the
// coarsest time stamps in use are a second.
const racy = 2 * time.Second
