package dkms

import (
	"cmp"
	"strings"
)

// CompareVersions orders versions, releases and module versions as DKMS does:
// runs of digits are compared as numbers, everything else as text, and the end
// comes before anything. So 3.4.999 < 3.5 < 3.5-rc2 < 3.10. It returns -1, 0
// or +1; two spellings of one number (1.02, 1.2) are equal.
func CompareVersions(a, b string) int {
	for a != "" && b != "" {
		x, y := leading(a), leading(b)
		a, b = a[len(x):], b[len(y):]
		if isDigit(x[0]) && isDigit(y[0]) {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if c := cmp.Compare(len(x), len(y)); c != 0 {
				return c
			}
		}
		if c := strings.Compare(x, y); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// leading returns the run of digits, or of anything else, that s starts with.
func leading(s string) string {
	n := 1
	for n < len(s) && isDigit(s[n]) == isDigit(s[0]) {
		n++
	}
	return s[:n]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
