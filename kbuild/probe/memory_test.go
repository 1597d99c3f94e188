package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func question(option string) string {
	return quote(`gcc `+option+` -c -x c /dev/null -o "$TMP"`) + "%ay%an"
}

func remembers(t *testing.T, m *Memory) []answer {
	t.Helper()
	answers, err := m.load()
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

func TestKeep(t *testing.T) {
	t.Parallel()
	m := New(filepath.Join(t.TempDir(), "a", "b"))
	if got := remembers(t, m); len(got) != 0 {
		t.Errorf("a new memory has %v", got)
	}
	no := answer{Question: question("-x"), Answer: "n", Tools: "1", Heard: 1}
	yes, other := no, no
	yes.Answer, other.Tools = "y", "2"
	for i, step := range []struct {
		keep answer
		want []int // Heard
	}{{no, []int{1}}, {no, []int{2}}, {other, []int{2, 1}}, {yes, []int{1, 1}}, {yes, []int{2, 1}}} {
		if err := m.keep([]answer{step.keep}); err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, a := range remembers(t, New(m.dir)) {
			got = append(got, a.Heard)
		}
		if fmt.Sprint(got) != fmt.Sprint(step.want) {
			t.Errorf("step %d: heard %v; want %v", i, got, step.want)
		}
	}
	info, err := os.Stat(filepath.Join(m.dir, fileName))
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestKeepTogether proves that builds which end at once do not lose what the
// others have learnt, and leave a whole file.
func TestKeepTogether(t *testing.T) {
	t.Parallel()
	m := New(t.TempDir())
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := m.keep([]answer{{Question: question(fmt.Sprint("-W", i)), Answer: "y", Heard: 1}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := remembers(t, m); len(got) != 20 {
		t.Errorf("%d answers; want 20", len(got))
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	m := New(t.TempDir())
	long := strings.Repeat("-Wmany ", 1000)
	for i := range 100 {
		if err := m.keep([]answer{{Question: question(fmt.Sprint(long, i)), Answer: "y", Heard: 1}}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(m.dir, fileName))
		if err != nil || info.Size() > fileLimit {
			t.Fatalf("after %d: %d bytes, %v", i, info.Size(), err)
		}
	}
	if got := remembers(t, m); len(got) == 0 || len(got) >= 100 {
		t.Errorf("%d answers are left", len(got))
	}
}

// TestDamaged proves that what is not a memory is none, and is written anew.
func TestDamaged(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "x", "{", `{"version":99,"answers":[{}]}`, "\x00\x01", `[]`, `{"version":1,"answers":[{"question":7}]}`} {
		m := New(t.TempDir())
		write(t, filepath.Join(m.dir, fileName), text)
		if got := remembers(t, m); len(got) != 0 {
			t.Errorf("%q: %v", text, got)
		}
		if err := m.keep([]answer{{Question: question("-x"), Answer: "y", Heard: 1}}); err != nil || len(remembers(t, m)) != 1 {
			t.Errorf("%q: not written anew: %v", text, err)
		}
	}
}

// TestForged proves that an answer which no question could have is not used:
// it would stand in a makefile.
func TestForged(t *testing.T) {
	t.Parallel()
	good := answer{Question: question("-x"), Answer: "y", Heard: 1}
	if _, ok := good.programs(); !ok {
		t.Fatal("a good one is refused")
	}
	for _, change := range []func(*answer){
		func(a *answer) { a.Answer = "$(shell touch /x)" },
		func(a *answer) { a.Answer = "z" },
		func(a *answer) { a.Question += "%aq" },
		func(a *answer) { a.Question = "x := y" },
		func(a *answer) { a.Question += "\nall: ; touch /x\n" },
		func(a *answer) { a.Question += "$(shell touch /x)"; a.Answer = "y" },
		func(a *answer) { a.Question = quote("gcc hello.c") + "%ay%an" },
		func(a *answer) { a.Question = question("-x") + "\r" },
		func(a *answer) {
			a.Question, a.Answer = strings.Replace(a.Question, "%ay", "%a$(shell)", 1), "$(shell)"
		},
	} {
		a := good
		change(&a)
		if asked, ok := a.programs(); ok {
			t.Errorf("%+v is believed, of %v", a, asked)
		}
	}
}

// TestTrusted proves that what others may write is neither read nor written.
func TestTrusted(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("in CI, and is not root")
		}
		t.Skip("needs root, to give files to others")
	}
	const nobody = 65534
	for name, change := range map[string]func(dir string) error{
		"owner":      func(dir string) error { return os.Chown(dir, nobody, nobody) },
		"mode":       func(dir string) error { return os.Chmod(dir, 0o777) },
		"group":      func(dir string) error { return os.Chmod(dir, 0o775) },
		"parent":     func(dir string) error { return os.Chown(filepath.Dir(dir), nobody, nobody) },
		"open":       func(dir string) error { return os.Chmod(filepath.Dir(dir), 0o777) },
		"file":       func(dir string) error { return os.Chown(filepath.Join(dir, fileName), nobody, nobody) },
		"file mode":  func(dir string) error { return os.Chmod(filepath.Join(dir, fileName), 0o666) },
		"file link":  func(dir string) error { return relink(filepath.Join(dir, fileName), "/etc/passwd") },
		"other link": func(dir string) error { return linkOf(dir, nobody) },
		"directory": func(dir string) error {
			os.Remove(filepath.Join(dir, fileName))
			return os.Mkdir(filepath.Join(dir, fileName), 0o755)
		},
		"pipe": func(dir string) error { os.RemoveAll(dir); return os.WriteFile(dir, nil, 0o644) },
	} {
		m := New(filepath.Join(t.TempDir(), "parent", "memory"))
		if err := m.keep([]answer{{Question: question("-x"), Answer: "y", Heard: 1}}); err != nil {
			t.Fatal(err)
		}
		if err := change(m.dir); err != nil {
			t.Fatal(err)
		}
		if got, err := m.load(); err == nil {
			t.Errorf("%s: believed: %v", name, got)
		}
		if err := m.keep([]answer{{Question: question("-y"), Answer: "y", Heard: 1}}); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func relink(path, to string) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return os.Symlink(to, path)
}

// linkOf puts a link of somebody else in dir's place.
func linkOf(dir string, uid int) error {
	if err := os.Rename(dir, dir+".real"); err != nil {
		return err
	}
	if err := os.Symlink(dir+".real", dir); err != nil {
		return err
	}
	return os.Lchown(dir, uid, uid)
}

// TestHeard proves that of a log that several makes wrote at once only whole
// lines count.
func TestHeard(t *testing.T) {
	t.Parallel()
	a, b := prefix+question("-a")+"%ay%z", prefix+question("-b")+"%an%z"
	for log, want := range map[string]int{
		a + "\n" + b + "\n":               2,
		a + "\n" + a + "\n":               1,
		a[:40] + b + "\n" + a[40:] + "\n": 0,
		a[:len(a)-1] + "\n" + b + "\n":    1,
		a + b + "\n":                      0,
		"":                                0,
		"\n\n" + b:                        1,
		"x" + a + "\n":                    0,
		strings.Replace(a, "%ay%z", "%z", 1) + "\n": 1, // not three words: programs() says so
	} {
		got := heard(log)
		if len(got) != want {
			t.Errorf("heard(%q) = %v; want %d", log, got, want)
		}
	}
}
