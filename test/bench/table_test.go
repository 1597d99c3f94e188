package bench

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTable(t *testing.T) {
	t.Parallel()
	table := Table{Title: "A. all", Head: []string{"", "wall", "×"}}
	table.Add("dkms", "288 s", "1")
	table.Add("dkms-hook", "9.5 ms", "1/200")
	table.Note("%d rounds.", 3)
	var out strings.Builder
	table.Print(&out)
	want := `
### A. all

|           |   wall |     × |
|-----------|-------:|------:|
| dkms      |  288 s |     1 |
| dkms-hook | 9.5 ms | 1/200 |

3 rounds.
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		288400 * time.Millisecond: "288 s", 9549 * time.Millisecond: "9.5 s", 951 * time.Millisecond: "951 ms", 9549 * time.Microsecond: "9.5 ms",
	} {
		if got := Seconds(d); got != want {
			t.Errorf("Seconds(%v) = %q; want %q", d, got, want)
		}
	}
	for part, want := range map[time.Duration]string{68: "0.68", 110: "1.10", 10: "0.10", 2: "1/50"} {
		if got := Ratio(part, 100); got != want {
			t.Errorf("Ratio(%d, 100) = %q; want %q", part, got, want)
		}
	}
}
