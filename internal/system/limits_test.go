package system

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// limits runs the helper below under a limit of 1000 of at most hard files, and
// returns what it printed.
func limits(t *testing.T, hard uint64) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("ulimit -Sn 1000 && ulimit -Hn %d && exec %q", hard, self)
	cmd := exec.Command("bash", "-c", script)
	cmd.Env = append(os.Environ(), helperEnv+"=limits")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("helper: %v\n%s", err, out)
	}
	return strings.Fields(string(out))
}

// helperLimits prints how many files a command may open, before and after.
func helperLimits() {
	for range 2 {
		out, err := Output(context.Background(), Command{Args: sh("ulimit -Sn")})
		fmt.Print(string(out))
		if err == nil {
			err = RaiseFileLimit()
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
}

func TestRaiseFileLimit(t *testing.T) {
	t.Parallel()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	hard := min(limit.Max, 4000)
	if got, want := limits(t, hard), []string{"1000", strconv.FormatUint(hard, 10)}; strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("commands may open %q files; want %q", got, want)
	}
	if limit.Max <= maxFiles {
		t.Logf("only %d files may be open here, so the upper bound was not reached", limit.Max)
		return
	}
	if got := limits(t, maxFiles+5); len(got) != 2 || got[1] != strconv.Itoa(maxFiles) {
		t.Errorf("commands may open %q files; want %d", got, maxFiles)
	}
}

func TestOOMKills(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("/proc/vmstat")
	told := err == nil && bytes.Contains(data, []byte("\noom_kill "))
	if kills, ok := OOMKills(); ok != told || kills < 0 {
		t.Errorf("OOMKills = %d, %v; /proc/vmstat tells: %v", kills, ok, told)
	}
}

func TestFull(t *testing.T) {
	t.Parallel()
	needView(t)
	for options, want := range map[string]bool{
		"size=512k":           true,
		"size=8m":             false,
		"size=8m,nr_inodes=1": true,
		"size=8m,nr_inodes=2": false,
		"size=0,nr_inodes=0":  false,
	} {
		err := WithView(nil, func() error {
			dir := t.TempDir()
			if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
				return err
			}
			if got := Full(dir); got != want {
				t.Errorf("%s: Full = %v; want %v", options, got, want)
			}
			if want || strings.Contains(options, "=0") {
				return nil
			}
			if err := os.WriteFile(dir+"/f", make([]byte, 7<<20+1), 0o644); err != nil {
				return err
			}
			if !Full(dir) {
				t.Errorf("%s: nearly nothing is left of it, and it is not full", options)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if Full("/nowhere") || Full("/proc") {
		t.Error("what has no room to give is full")
	}
}

// Files are handed down as 3 and 4, in a view too.
func TestRunHandsFilesDown(t *testing.T) {
	t.Parallel()
	needView(t)
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	c := Command{Args: sh("echo read $(head -c 3 <&3); echo wrote >&4"), Follow: true}
	file := t.TempDir() + "/in"
	if err := os.WriteFile(file, []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	c.Files = []*os.File{in, to}
	var out []byte
	err = WithView(nil, func() (err error) {
		out, err = Output(context.Background(), c)
		return err
	})
	to.Close()
	if string(out) != "read abc\n" || err != nil {
		t.Errorf("the command printed %q, %v", out, err)
	}
	wrote := make([]byte, 10)
	if n, err := from.Read(wrote); string(wrote[:n]) != "wrote\n" || err != nil {
		t.Errorf("it wrote %q, %v", wrote[:n], err)
	}
}
