package conf

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Shared lets evaluations of one moment share what they have come to know: the
// kernel's configuration, which several packages source, what overrides there are,
// and what programs that only read have answered, which most packages ask whatever
// the kernel is. All is taken to be as it was when the first one asked, so a Shared
// must not outlive that moment. It may be used by several goroutines.
type Shared struct {
	mu        sync.Mutex
	flats     map[string]*flat           // by path
	listings  map[string]map[string]bool // names in directories
	inquiries map[question]*inquiry
}

// flat returns the file at path, nil if it was not read before.
func (s *Shared) flat(path string) *flat {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flats[path]
}

func (s *Shared) keepFlat(path string, f *flat) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flats == nil {
		s.flats = map[string]*flat{}
	}
	s.flats[path] = f
}

// holds reports whether dir has an entry of that name. Most have none of those that
// evaluations ask for, so dir is listed once instead.
func (s *Shared) holds(dir, name string) bool {
	if s == nil {
		return system.Exists(filepath.Join(dir, name))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	names, listed := s.listings[dir]
	if !listed {
		names = namesIn(dir)
		if s.listings == nil {
			s.listings = map[string]map[string]bool{}
		}
		s.listings[dir] = names
	}
	if names == nil {
		return system.Exists(filepath.Join(dir, name))
	}
	return names[name]
}

// namesIn returns the names in dir, nil if it cannot be listed.
func namesIn(dir string) map[string]bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	names := make(map[string]bool, len(entries))
	for _, e := range entries {
		names[e.Name()] = true
	}
	return names
}

// An inquiry is a question that an evaluation has asked, or is asking.
type inquiry struct {
	over   chan struct{} // closed when the answer is there
	answer answer
	whole  bool // it may be repeated
}

// answer returns the answer to q that another evaluation was given, and waits for
// it if that is just being given. Where there is none, the caller asks, and calls
// tell with what it has heard.
func (s *Shared) answer(ctx context.Context, q question) (a answer, known bool, tell func(a answer, whole bool)) {
	s.mu.Lock()
	i, asked := s.inquiries[q]
	if !asked {
		if s.inquiries == nil {
			s.inquiries = map[question]*inquiry{}
		}
		i = &inquiry{over: make(chan struct{})}
		s.inquiries[q] = i
	}
	s.mu.Unlock()
	if !asked {
		return a, false, func(a answer, whole bool) {
			i.answer, i.whole = a, whole
			close(i.over)
		}
	}
	select {
	case <-i.over:
		if i.whole {
			return i.answer, true, nil
		}
	case <-ctx.Done():
	}
	return a, false, func(answer, bool) {}
}
