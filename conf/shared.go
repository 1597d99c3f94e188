package conf

import "sync"

// Shared lets evaluations of one moment share what they have come to know: the
// kernel's configuration, which several packages source, and what programs that only
// read have answered, which most packages ask whatever the kernel is. All is
// taken to be as it was when the first one asked, so a Shared must not outlive
// that moment. It may be used by several goroutines.
type Shared struct {
	mu      sync.Mutex
	flats   map[string]*flat // by path
	answers map[question]answer
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

// answer returns that to q, if it is known.
func (s *Shared) answer(q question) (a answer, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, known = s.answers[q]
	return a, known
}

func (s *Shared) keepAnswer(q question, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answers == nil {
		s.answers = map[question]answer{}
	}
	s.answers[q] = a
}
