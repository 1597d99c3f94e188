package makefile

import (
	"slices"
	"strings"
)

// words splits a value at blanks. A word that can be read in several ways is
// there several times, with what has to hold.
func (v value) words(all conds) []way {
	s := splitter{}
	open := s.split(v, all, []way{emptyWay(all)})
	s.flush(open)
	return s.words
}

type splitter struct{ words []way }

func (s *splitter) flush(open []way) {
	for _, w := range open {
		if w.text != "" {
			s.words = append(s.words, w)
		}
	}
}

// split takes the words that are open, in all their ways, and returns those
// that are open behind v.
func (s *splitter) split(v value, all conds, open []way) []way {
	for _, p := range v {
		switch p.kind {
		case choice:
			open = s.splitChoice(p, all, open)
		case literal:
			open = s.splitText(p, all, open)
		default:
			for i := range open {
				open[i] = open[i].with(p)
			}
		}
	}
	return open
}

func (s *splitter) splitText(p part, all conds, open []way) []way {
	for str := p.text; ; {
		i := strings.IndexAny(str, blanks)
		piece := str
		if i >= 0 {
			piece = str[:i]
		}
		for k := range open {
			if piece != "" {
				open[k] = open[k].with(part{text: piece, at: p.at})
			}
		}
		if i < 0 {
			return open
		}
		s.flush(open)
		open = []way{emptyWay(all)}
		str = strings.TrimLeft(str[i:], blanks)
	}
}

func (s *splitter) splitChoice(p part, all conds, open []way) (next []way) {
	for _, side := range p.branches(all) {
		var restricted []way
		for _, w := range open {
			if w.conds.holds(side.cond) != No {
				w.conds = w.conds.and(side.cond)
				restricted = append(restricted, w)
			}
		}
		next = append(next, s.split(side.value, side.conds, restricted)...)
	}
	if !slices.ContainsFunc(next, func(w way) bool { return w.text != "" }) {
		return []way{emptyWay(all)}
	}
	if len(next) > maxWays {
		return []way{{text: "…", conds: all}}
	}
	return next
}

const blanks = " \t\r\n\v\f"
