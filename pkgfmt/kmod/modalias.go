package kmod

import "strings"

// modaliases says which devices a module is for. Hundreds of a driver's
// aliases differ in one character, so those are told at once, by a set of
// characters: usb:v046Dp08[12]0…. What the names of packages' relations cannot
// have is replaced by "_".
func modaliases(aliases []string, version string) []string {
	suffix := ")"
	if version = only(version, isVersionChar); version != "" {
		suffix += " = " + version
	}
	lines := make([]string, 0, len(aliases))
	for _, a := range aliases {
		if a != "" {
			lines = append(lines, "modalias("+only(a, isAliasChar)+suffix)
		}
	}
	return merged(unique(lines))
}

func only(s string, allowed func(c byte) bool) string {
	b := []byte(s)
	for i, c := range b {
		if !allowed(c) {
			b[i] = '_'
		}
	}
	return string(b)
}

func isVersionChar(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || c == '.' || c == '_'
}

func isAliasChar(c byte) bool { return isVersionChar(c) || strings.IndexByte("][:*?/-", c) >= 0 }

// merged joins each line of a sorted list with those that follow, as long as
// they differ from it in the same one character, neither being a wild card
// there nor within a set.
func merged(lines []string) []string {
	var out []string
	for i := 0; i < len(lines); {
		first, at, set := lines[i], -1, ""
		j := i + 1
		for ; j < len(lines); j++ {
			n := difference(first, lines[j])
			if n < 0 || at >= 0 && n != at {
				break
			}
			if at = n; set == "" {
				set = first[n : n+1]
			}
			set += lines[j][n : n+1]
		}
		if set != "" {
			first = first[:at] + "[" + set + "]" + first[at+1:]
		}
		out = append(out, first)
		i = j
	}
	return out
}

// difference returns where a and b differ when that is one character that may
// become part of a set, and else -1.
func difference(a, b string) int {
	if len(a) != len(b) {
		return -1
	}
	at := -1
	for i := range len(a) {
		if a[i] == b[i] {
			continue
		}
		if at >= 0 {
			return -1
		}
		at = i
	}
	if at < 0 || strings.IndexByte("*?[]", a[at]) >= 0 || strings.IndexByte("*?[]", b[at]) >= 0 ||
		strings.Count(a[:at], "[") != strings.Count(a[:at], "]") {
		return -1
	}
	return at
}
