package read

import "strings"

// rpmScriptTags are RPM's scriptlets in the order in which rpm lists them, and
// the tags of their texts and programs.
var rpmScriptTags = []struct {
	name          string
	text, program int
}{
	{"pretrans", 1151, 1153}, {"pre", 1023, 1085}, {"post", 1024, 1086}, {"preun", 1025, 1087}, {"postun", 1026, 1088},
	{"posttrans", 1152, 1154}, {"preuntrans", 5104, 5106}, {"postuntrans", 5105, 5107}, {"verify", 1079, 1091},
}

func rpmScripts(h *header) []Script {
	var out []Script
	for _, s := range rpmScriptTags {
		text, program := h.GetTag(s.text), h.GetTag(s.program)
		if text == nil && program == nil {
			continue
		}
		out = append(out, Script{Name: s.name, Text: text.String(), Program: interpreter(program.StringSlice())})
	}
	return out
}

// interpreter is rpm's own choice where the header names none.
func interpreter(args []string) string {
	if program := strings.Join(args, " "); program != "" {
		return program
	}
	return "/bin/sh"
}

// A triggerSet is where the header has one family of triggers: scripts with
// programs and priorities, and conditions that point at the scripts.
type triggerSet struct {
	prefix                        string
	scripts, programs, priorities int
	names, versions, flags, index int
}

var triggerSets = []triggerSet{
	{"trigger", 1065, 1092, 0, 1066, 1067, 1068, 1069},
	{"filetrigger", 5066, 5067, 5084, 5069, 5071, 5072, 5070},
	{"transfiletrigger", 5076, 5077, 5085, 5079, 5081, 5082, 5080},
}

func rpmTriggers(h *header) []Trigger {
	var out []Trigger
	for _, s := range triggerSets {
		out = append(out, s.read(h)...)
	}
	return out
}

func (s triggerSet) read(h *header) []Trigger {
	scripts := h.GetTag(s.scripts).StringSlice()
	names := h.GetTag(s.names).StringSlice()
	n := len(scripts)
	if n+len(names) > maxWords {
		h.fail("has more than %d triggers", maxWords)
		return nil
	}
	programs, priorities := h.texts(s.programs, n), h.numbers(s.priorities, n)
	versions, flags, index := h.texts(s.versions, len(names)), h.numbers(s.flags, len(names)), h.numbers(s.index, len(names))
	if h.err != nil {
		return nil
	}
	out := make([]Trigger, n)
	for i := range out {
		out[i] = Trigger{Text: scripts[i], Program: interpreter([]string{programs[i]}), Priority: priorities[i]}
	}
	for i, name := range names {
		if index[i] < 0 || index[i] >= int64(n) {
			h.fail("trigger on %s points at script %d of %d", name, index[i], n)
			return nil
		}
		t := &out[index[i]]
		t.Kind = s.prefix + occasion(flags[i])
		t.Names = append(t.Names, relationText(name, versions[i], flags[i]))
	}
	return out
}

// occasion returns what a trigger's flags say (rpmds.h, RPMSENSE_TRIGGER…).
func occasion(flags int64) string {
	for _, o := range []struct {
		bit  int64
		word string
	}{{1 << 25, "prein"}, {1 << 16, "in"}, {1 << 17, "un"}, {1 << 18, "postun"}} {
		if flags&o.bit != 0 {
			return o.word
		}
	}
	return ""
}
