package lint

import (
	"regexp"
	"strings"
)

// suppressions are the rules that a dkms.conf has ignored.
type suppressions struct {
	whole map[string]bool         // everywhere
	lines map[int]map[string]bool // on a line of the dkms.conf
}

var ignoreComment = regexp.MustCompile(`#\s*lint:\s*ignore\b[\s:]*([^#]*)`)

// suppressions reads the comments `# lint: ignore RULE…`. One on a line of its
// own is about the whole package, one behind something about its line.
func (l *linter) suppressions() suppressions {
	s := suppressions{whole: map[string]bool{}, lines: map[int]map[string]bool{}}
	n := 0
	for line := range strings.Lines(l.text) {
		n++
		at := ignoreComment.FindStringSubmatchIndex(line)
		if at == nil {
			continue
		}
		alone := strings.TrimSpace(line[:at[0]]) == ""
		for _, name := range strings.FieldsFunc(line[at[2]:at[3]], func(c rune) bool { return strings.ContainsRune(", \t\r\n", c) }) {
			if _, ok := ruleNamed(name); !ok {
				l.atConf("unknown-rule", n, "there is no rule %q to ignore", name)
				continue
			}
			if alone {
				s.whole[name] = true
				continue
			}
			if s.lines[n] == nil {
				s.lines[n] = map[string]bool{}
			}
			s.lines[n][name] = true
		}
	}
	return s
}
