package conf

import (
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/pattern"
)

// replacePattern does one of bash's expansions by pattern on value: op is
// "/", "//", "/#", "/%", "#", "##", "%" or "%%". bash(1), "Parameter
// Expansion".
func replacePattern(op, pat, with, value string) string {
	mode := pattern.ExtendedOperators
	if op == "#" || op == "%" {
		mode |= pattern.Shortest
	}
	expr, err := pattern.Regexp(pat, mode)
	if err != nil {
		return value
	}
	expr = strings.TrimPrefix(expr, "(?s)")
	switch op {
	case "/", "//":
		if pat == "" {
			return value
		}
	case "/#", "#", "##":
		expr = "^(?:" + expr + ")"
	case "/%", "%%":
		expr = "(?:" + expr + ")$"
	case "%":
		return removeShortSuffix(expr, value)
	}
	re, err := regexp.Compile("(?s)" + expr)
	if err != nil {
		return value
	}
	if op == "//" {
		return re.ReplaceAllLiteralString(value, with)
	}
	at := re.FindStringIndex(value)
	if at == nil {
		return value
	}
	return value[:at[0]] + with + value[at[1]:]
}

// removeShortSuffix removes the shortest suffix that matches.
func removeShortSuffix(expr, value string) string {
	re, err := regexp.Compile("(?s)^(?:" + expr + ")$")
	if err != nil {
		return value
	}
	for i := len(value); i >= 0; i-- {
		if re.MatchString(value[i:]) {
			return value[:i]
		}
	}
	return value
}
