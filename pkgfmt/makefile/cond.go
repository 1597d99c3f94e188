package makefile

import (
	"slices"
	"strings"
)

// A cond is a condition that cannot be decided here.
type cond struct {
	key      string // equal for equal conditions
	yes, no  string // in words: `$(HDAPS) = 1`, `$(HDAPS) != 1`
	not      bool
	standard Answer // of the condition itself, when nobody sets anything
	config   string // the kernel's option that must be y or m, or ""
	selects  bool   // it is that of obj-$(CONFIG_X)
}

func (c cond) negated() cond {
	c.not = !c.not
	return c
}

func (c cond) String() string {
	if c.not {
		return c.no
	}
	return c.yes
}

// conds hold all together.
type conds []cond

// holds says what the conditions say of c.
func (all conds) holds(c cond) Answer {
	for _, have := range all {
		if have.key == c.key {
			if have.not == c.not {
				return Yes
			}
			return No
		}
	}
	return Depends
}

// and returns all and c, once.
func (all conds) and(c cond) conds {
	if all.holds(c) == Yes {
		return all
	}
	return append(slices.Clip(all), c)
}

func (all conds) andAll(more conds) conds {
	for _, c := range more {
		all = all.and(c)
	}
	return all
}

// standard says whether they hold when nobody sets anything.
func (all conds) standard() Answer {
	least := Yes
	for _, c := range all {
		answer := c.standard
		if c.not {
			answer = -answer
		}
		least = min(least, answer)
	}
	return least
}

// possible is false for what contradicts itself.
func (all conds) possible() bool {
	for i, c := range all {
		if all[:i].holds(c) == No {
			return false
		}
	}
	return true
}

func (all conds) String() string {
	words := make([]string, len(all))
	for i, c := range all {
		words[i] = c.String()
	}
	return strings.Join(words, " && ")
}

// reduce drops from several ways what follows from their being complete: the
// way of A and the way of not A are together no condition.
func reduce(ways []conds) []conds {
	for again := true; again; {
		again = false
		for i := 0; i < len(ways) && !again; i++ {
			for j := i + 1; j < len(ways) && !again; j++ {
				if merged, ok := merge(ways[i], ways[j]); ok {
					ways[i] = merged
					ways = slices.Delete(ways, j, j+1)
					again = true
				}
			}
		}
	}
	return ways
}

// merge makes one of two ways, where one includes the other or both differ in
// one condition only.
func merge(a, b conds) (conds, bool) {
	if a.includes(b) {
		return a, true
	}
	if b.includes(a) {
		return b, true
	}
	for i, c := range a {
		without := slices.Delete(slices.Clone(a), i, i+1)
		if b.holds(c) == No && without.includes(b) && len(b) == len(a) {
			return without, true
		}
	}
	return nil, false
}

// includes reports whether a holds wherever b holds.
func (all conds) includes(b conds) bool {
	return !slices.ContainsFunc(all, func(c cond) bool { return b.holds(c) != Yes })
}

// follows reports whether known holds wherever all do.
func (all conds) follows(known conds) bool { return known.includes(all) }
