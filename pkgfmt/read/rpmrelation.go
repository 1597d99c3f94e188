package read

import "strings"

// rpmKinds are RPM's relations and the tags of their names, versions and flags.
var rpmKinds = []struct {
	kind                  string
	names, versions, flag int
}{
	{"Requires", 1049, 1050, 1048},
	{"Provides", 1047, 1113, 1112},
	{"Conflicts", 1054, 1055, 1053},
	{"Obsoletes", 1090, 1115, 1114},
	{"Recommends", 5046, 5047, 5048},
	{"Suggests", 5049, 5050, 5051},
	{"Supplements", 5052, 5053, 5054},
	{"Enhances", 5055, 5056, 5057},
	{"OrderWithRequires", 5035, 5036, 5037},
}

// rpmRelations reads all relations, each kind in the header's order.
func rpmRelations(h *header) []Relation {
	var out []Relation
	for _, k := range rpmKinds {
		names := h.GetTag(k.names).StringSlice()
		if len(out)+len(names) > maxWords {
			h.fail("has more than %d relations", maxWords)
			return nil
		}
		versions, flags := h.texts(k.versions, len(names)), h.numbers(k.flag, len(names))
		for i, name := range names {
			out = append(out, Relation{Kind: k.kind, Text: relationText(name, versions[i], flags[i]), When: remarks(flags[i])})
		}
	}
	return out
}

// relationText joins a relation as rpm prints it. Rich ones are names.
func relationText(name, version string, flags int64) string {
	if op := operator(flags); op != "" {
		name += " " + op
	}
	if version != "" {
		name += " " + version
	}
	return name
}

// operator returns the sense of a comparison (rpmds.h, RPMSENSE_SENSEMASK).
func operator(flags int64) string {
	op := ""
	for _, bit := range []struct {
		bit  int64
		text string
	}{{1 << 1, "<"}, {1 << 2, ">"}, {1 << 3, "="}} {
		if flags&bit.bit != 0 {
			op += bit.text
		}
	}
	return op
}

// rpmRemarks are rpm's words for the other flags, in the order in which it prints them.
var rpmRemarks = []struct {
	bits int64
	word string
}{
	{1 << 9, "pre"}, {1 << 10, "post"}, {1 << 11, "preun"}, {1 << 12, "postun"}, {1 << 13, "verify"},
	{1 << 8, "interp"}, {1 << 24, "rpmlib"}, {1<<14 | 1<<15, "auto"}, {1 << 6, "prereq"},
	{1 << 7, "pretrans"}, {1 << 5, "posttrans"}, {1 << 28, "config"}, {1 << 19, "missingok"},
	{1 << 20, "preuntrans"}, {1 << 21, "postuntrans"}, {1 << 29, "meta"},
}

func remarks(flags int64) []string {
	var out []string
	for _, r := range rpmRemarks {
		if flags&r.bits != 0 {
			out = append(out, r.word)
		}
	}
	return out
}

// String returns the relation with its kind, as a spec file or a control file
// has it: "Requires(pre,post): kmod >= 30".
func (r Relation) String() string {
	kind := r.Kind
	if len(r.When) > 0 {
		kind += "(" + strings.Join(r.When, ",") + ")"
	}
	return kind + ": " + r.Text
}
