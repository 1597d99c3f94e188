package conf

import (
	"cmp"
	"strings"
)

// compareReleases orders kernel releases as BUILD_EXCLUSIVE_KERNEL_MIN and
// _MAX do: runs of digits compare as numbers, everything else as text, and
// what ends first comes first. So 3.4.999 < 3.5 < 3.5-rc2, and
// 4.12 < 4.12-rc1.
func compareReleases(a, b string) int {
	for a != "" && b != "" {
		var left, right string
		left, a = cutRun(a)
		right, b = cutRun(b)
		if c := compareRuns(left, right); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// cutRun cuts off the leading run of digits, or of anything else.
func cutRun(s string) (run, rest string) {
	digit := isDigit(s[0])
	end := 1
	for end < len(s) && isDigit(s[end]) == digit {
		end++
	}
	return s[:end], s[end:]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func compareRuns(a, b string) int {
	if !isDigit(a[0]) || !isDigit(b[0]) {
		return cmp.Compare(a, b)
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}
