package conf

import (
	"errors"
	"strconv"
	"strings"
)

// ParseSize reads a number of bytes, or of KiB, MiB or GiB: 512M.
func ParseSize(s string) (int64, error) {
	digits, shift := s, 0
	for i, unit := range "KMG" {
		if rest, ok := strings.CutSuffix(strings.ToUpper(s), string(unit)); ok {
			digits, shift = rest, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || n < 0 {
		return 0, errors.New("is not a size such as 512M or 1G")
	}
	return n << shift, nil
}
