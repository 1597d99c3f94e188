package hooks

import "testing"

func TestInWords(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 bytes", 9000: "9000 bytes", 20 << 10: "20 KiB", 20<<20 + 1: "20 MiB", 3 << 30: "3072 MiB"} {
		if got := inWords(n); got != want {
			t.Errorf("inWords(%d) = %q; want %q", n, got, want)
		}
	}
}
