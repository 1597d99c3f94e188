package dkms_test

import (
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

func TestCompareVersions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "0", -1},
		{"1.0", "1.0", 0},
		{"1.02", "1.2", 0},
		{"3.4.999", "3.5", -1},
		{"3.5-rc2", "3.5", 1},
		{"4.12-rc1", "4.12", 1},
		{"6.1.0-56-amd64", "6.1.0-9-amd64", 1},
		{"6.1.0-56-amd64", "6.1.0-56-cloud-amd64", -1},
		{"1.0a", "1.0b", -1},
		{"1.0", "1.a", -1},
		{"99999999999999999999999", "100000000000000000000000", -1},
		{"0", "00", 0},
		{"eol", "eol2", -1},
	}
	for _, tt := range tests {
		if got := dkms.CompareVersions(tt.a, tt.b); got != tt.want {
			t.Errorf("CompareVersions(%q, %q) = %d; want %d", tt.a, tt.b, got, tt.want)
		}
		if got := dkms.CompareVersions(tt.b, tt.a); got != -tt.want {
			t.Errorf("CompareVersions(%q, %q) = %d; want %d", tt.b, tt.a, got, -tt.want)
		}
	}
}
