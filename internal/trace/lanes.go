package trace

import (
	"cmp"
	"slices"
	"time"
)

// lane is one line of the picture: spans that lie in each other or apart.
type lane struct {
	group string
	spans []*Span
	stack []*Span // those that run at the moment of the last one, outermost first
}

// assign puts each span on a lane: its parent's if it fits, else the first of
// its group where nothing runs. So as few lanes as possible are used, and the
// same ones every time. No spans of a lane overlap but those that nest.
func assign(spans []*Span) []*lane {
	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b *Span) int { // a parent stays before its children
		return cmp.Or(cmp.Compare(a.began, b.began), cmp.Compare(b.ended, a.ended))
	})
	var lanes []*lane
	on := map[*Span]*lane{}
	for _, s := range spans {
		l := on[s.parent]
		if l == nil || !l.nests(s) {
			l = free(&lanes, s)
		}
		l.spans, l.stack = append(l.spans, s), append(l.stack, s)
		on[s] = l
	}
	slices.SortStableFunc(lanes, func(a, b *lane) int { return cmp.Compare(a.group, b.group) })
	return lanes
}

// free returns the first lane of s's group where nothing runs when s begins.
func free(lanes *[]*lane, s *Span) *lane {
	for _, l := range *lanes {
		l.pop(s.began)
		if l.group == s.group && len(l.stack) == 0 {
			return l
		}
	}
	l := &lane{group: s.group}
	*lanes = append(*lanes, l)
	return l
}

// nests reports whether s lies in its parent, and the parent is innermost.
func (l *lane) nests(s *Span) bool {
	l.pop(s.began)
	return len(l.stack) > 0 && l.stack[len(l.stack)-1] == s.parent && s.ended <= s.parent.ended
}

// pop takes off what has ended by at.
func (l *lane) pop(at time.Duration) {
	for len(l.stack) > 0 && l.stack[len(l.stack)-1].ended <= at {
		l.stack = l.stack[:len(l.stack)-1]
	}
}
