package system

import (
	"os"
	"testing"
)

func TestReadProcess(t *testing.T) {
	t.Parallel()
	p, err := ReadProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if p.PID != os.Getpid() || p.Parent != os.Getppid() || p.Start == 0 || p.Command == "" {
		t.Errorf("ReadProcess(self) = %+v; want pid %d, parent %d and a start time", p, os.Getpid(), os.Getppid())
	}
	if _, err := ReadProcess(1 << 30); err == nil {
		t.Error("ReadProcess of a process that cannot be gave no error")
	}
}
