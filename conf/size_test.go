package conf

import "testing"

func TestParseSize(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int64{
		"0": 0, "1000": 1000, "512K": 512 << 10, "512M": 512 << 20, "1g": 1 << 30, "2G": 2 << 30,
		"": -1, "-1": -1, "1.5G": -1, "1 G": -1, "1T": -1, "M": -1, "GM": -1, "99999999999": -1,
	} {
		got, err := ParseSize(s)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", s, got, err, want)
		}
	}
}
