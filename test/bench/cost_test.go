package bench

import (
	"io"
	"os/exec"
	"testing"
	"time"
)

// loop takes a moment of CPU time, in a shell of its own.
const loop = `i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done`

// TestRunCountsDescendants proves that children are counted, also those that
// went to a session of their own and outlived the command; and that Wall is the
// command's own.
func TestRunCountsDescendants(t *testing.T) {
	meters := map[string]func() (*Meter, string, error){"control group": NewMeter, "reaper": newReaper}
	for name, open := range meters {
		t.Run(name, func(t *testing.T) {
			m, how, err := open()
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("counted by %s", how)
			defer func() {
				if err := m.Close(); err != nil {
					t.Error(err)
				}
			}()
			alone := cpuOf(t, m, loop)
			if alone < 10*time.Millisecond {
				t.Fatalf("CPU of a loop: %v; want a time that can be told from nothing", alone)
			}
			for what, script := range map[string]string{
				"child":    "sh -c '" + loop + "'; :",
				"detached": "setsid sh -c '" + loop + "' >/dev/null 2>&1 &",
			} {
				if got := cpuOf(t, m, script); got < alone/2 || got > alone*3 {
					t.Errorf("CPU of a loop in a %s process: %v; want about %v", what, got, alone)
				}
			}
			c, err := m.Run(exec.Command("sh", "-c", "setsid sleep 3 >/dev/null 2>&1 &"))
			if err != nil || c.Wall > 2*time.Second {
				t.Errorf("wall %v, %v; want the command's own end, not that of what it left", c.Wall, err)
			}
		})
	}
}

func cpuOf(t *testing.T, m *Meter, script string) time.Duration {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	c, err := m.Run(cmd)
	if err != nil || cmd.ProcessState.ExitCode() != 0 {
		t.Fatalf("%s: %v, %v", script, cmd.ProcessState, err)
	}
	return c.CPU
}

// TestRunPeak proves that a process's own memory is told, and that a child's is
// not its own.
func TestRunPeak(t *testing.T) {
	m, _, err := NewMeter()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	const big = 64 << 20 // tail holds all that it may have to print
	tail := exec.Command("tail", "-c", "67108864")
	tail.Stdin = io.LimitReader(zeros{}, big)
	if c, err := m.Run(tail); err != nil || c.Peak < big/2 {
		t.Errorf("peak of what holds %d MiB: %d MiB, %v", big>>20, c.Peak>>20, err)
	}
	shell := exec.Command("sh", "-c", "head -c 67108864 /dev/zero | tail -c 67108864 >/dev/null; sleep 0.1")
	if c, err := m.Run(shell); err != nil || c.Peak == 0 || c.Peak > big/4 {
		t.Errorf("peak of a shell whose child holds %d MiB: %d MiB, %v; want its own little", big>>20, c.Peak>>20, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
