package plan

import (
	"cmp"
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// noteSet collects notes, each once.
type noteSet struct{ notes []Note }

func (s *noteSet) add(r dkms.Ref, reason Reason, text string) {
	s.notes = append(s.notes, Note{Ref: r, Reason: reason, Text: text})
}

// addOf adds n as the note of r.
func (s *noteSet) addOf(r dkms.Ref, n Note) {
	s.add(r, n.Reason, n.Text)
}

// sorted returns the notes in order, never nil.
func (s *noteSet) sorted() []Note {
	slices.SortFunc(s.notes, compareNotes)
	return slices.Compact(append([]Note{}, s.notes...))
}

func compareNotes(a, b Note) int {
	return cmp.Or(dkms.CompareRefs(a.Ref, b.Ref), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Text, b.Text))
}
