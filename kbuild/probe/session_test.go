package probe

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// kernel is a directory like a kernel's headers, with a compiler of its own
// that counts how often it is asked and says what `says` has it say.
type kernel struct {
	dir, bin string
	memory   *Memory
}

// fakeCC is an ordinary program in a directory of PATH. It stands for a
// compiler: it says which programs it runs, knows every option but -no-such,
// and counts.
const fakeCC = `#!/bin/sh
case " $* " in
*" -### "*)
	printf 'fake compiler 1\nCOMPILER_PATH=/nowhere/\n /bin/true -quiet\n' >&2
	exit 0
	;;
esac
echo "$*" >>@COUNT@
case " $* " in
*" -no-such "*) exit 1 ;;
esac
exit 0
`

func newKernel(t *testing.T, release, makefile string) *kernel {
	t.Helper()
	if _, err := exec.LookPath("make"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("in CI, and lacks make")
		}
		t.Skip("needs make")
	}
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	k := &kernel{dir: filepath.Join(top, "linux"), bin: filepath.Join(top, "bin"), memory: New(filepath.Join(top, "memory"))}
	write(t, filepath.Join(k.dir, "scripts/Kbuild.include"), "TMPOUT = "+filepath.Join(top, "tmp")+"_$$$$\n"+definitions[release])
	write(t, filepath.Join(k.dir, "Makefile"), makefile)
	k.compiler(t, fakeCC, time.Now().Add(-time.Hour))
	return k
}

func (k *kernel) count() string { return filepath.Join(k.dir, "count") }

// compiler installs gcc, and makes its times old enough to be believed.
func (k *kernel) compiler(t *testing.T, text string, when time.Time) {
	t.Helper()
	path := filepath.Join(k.bin, "gcc")
	write(t, path, strings.ReplaceAll(text, "@COUNT@", k.count()))
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, when, when); err != nil {
		t.Fatal(err)
	}
}

// make runs make in the kernel's directory, or in dir, with a session unless
// there is none, and returns its output and how often the compiler was asked.
func (k *kernel) make(t *testing.T, with bool, args ...string) (out string, asked int) {
	t.Helper()
	ctx := context.Background()
	os.Remove(k.count())
	private := t.TempDir()
	env := []string{"PATH=" + private + ":" + k.bin + ":/usr/bin:/bin", "LC_ALL=C"}
	var s *Session
	if with {
		var err error
		if s, err = k.memory.Start(ctx, Build{Kernel: k.dir, Bin: private, Env: env}); err != nil {
			t.Fatalf("Start = %v", err)
		}
		s.began = s.began.Add(time.Hour) // the compiler was made a moment ago
		env = append(env, s.Environ()...)
	}
	cmd := exec.Command("make", append([]string{"-C", k.dir, "--no-print-directory"}, args...)...)
	cmd.Env = env
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make %v: %v\n%s", args, err, text)
	}
	if with {
		if err := s.Learn(ctx); err != nil {
			t.Fatalf("Learn = %v", err)
		}
	}
	lines, _ := os.ReadFile(k.count())
	return string(text), strings.Count(string(lines), "\n")
}

// probe is a line of a makefile that shows the answer to a question.
func probe(option, yes, no string) string {
	return fmt.Sprintf("$(info [$(call try-run,gcc -Werror %s -c -x c /dev/null -o \"$$TMP\",%s,%s)])\n", option, yes, no)
}

const include = "include scripts/Kbuild.include\n"

const end = "all: ;@:\n"

// TestSession proves that the same questions get the same answers, from the
// compiler first and from memory after that.
func TestSession(t *testing.T) {
	t.Parallel()
	for release := range definitions {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			k := newKernel(t, release, include+probe("-Wall", "-Wall", "")+probe("-mfoo  -mbar=1", " -mfoo  -mbar=1", "n")+probe("-Wall", "y", "n")+end)
			want, asked := k.make(t, false)
			if asked != 3 || want != "[-Wall]\n[ -mfoo  -mbar=1]\n[y]\n" {
				t.Fatalf("without = %d times, %q", asked, want)
			}
			for i, times := range []int{3, 0, 0} {
				if got, asked := k.make(t, true); got != want || asked != times {
					t.Errorf("build %d = %q, asked %d times; want %q, %d times", i, got, asked, want, times)
				}
			}
		})
	}
}

// TestQuestionText proves that whatever is in a question, its answer is the
// kernel's own, in the first build as in the third.
func TestQuestionText(t *testing.T) {
	t.Parallel()
	texts := []string{
		`-Da=b`, `-Da:b`, `-Da:=b`, `-Da+=b`, `-D%d%s%a%z`, `-D100%`, `-Da\#b`, `-Da?=b`, `-D'a b'`, `-D"a b"`, `-Da	b`, `-D'$$x'`, `-D'a\nb'`,
		`-D\\`, `-D'(a)'`, `-D$(comma)`, `-D'ifeq'`, `-D'~'`, `-D!=`, `-D'{a}'`, `-D'$(open)a'`, `-no-such`, `-D'a$(newline)b'`, `-Dä`, `-D;`,
	}
	makefile := include + "comma := ,\nopen := (\ndefine newline\n\n\nendef\n"
	for i, text := range texts {
		makefile += probe(text, fmt.Sprintf("yes %d", i), "no") + probe(text, text, "") + probe("-Wx", text, "")
	}
	k := newKernel(t, "6.1", makefile+end)
	want, _ := k.make(t, false)
	first := 0
	for i := range 4 {
		got, asked := k.make(t, true)
		if got != want {
			t.Errorf("build %d\n%s\nwant\n%s", i, got, want)
		}
		if i == 0 {
			first = asked
		} else if i == 3 && asked > first/3 {
			t.Errorf("the compiler is asked %d times still, of %d", asked, first)
		}
	}
}

// TestNo proves that a "no" is believed when two builds have heard it.
func TestNo(t *testing.T) {
	t.Parallel()
	k := newKernel(t, "6.1", include+probe("-no-such", "y", "n")+end)
	for i, times := range []int{1, 1, 0} {
		if got, asked := k.make(t, true); got != "[n]\n" || asked != times {
			t.Errorf("build %d = %q, asked %d times; want no, %d times", i, got, asked, times)
		}
	}
}

// TestOtherCompiler proves that nothing is remembered of a compiler that is
// there no more.
func TestOtherCompiler(t *testing.T) {
	t.Parallel()
	k := newKernel(t, "6.1", include+probe("-new", "y", "n")+end)
	k.make(t, true)
	if _, asked := k.make(t, true); asked != 0 {
		t.Fatalf("asked %d times; want 0", asked)
	}
	k.compiler(t, strings.Replace(fakeCC, "-no-such", "-new", 1), time.Now().Add(-time.Minute))
	if got, asked := k.make(t, true); got != "[n]\n" || asked != 1 {
		t.Errorf("with another compiler = %q, asked %d times", got, asked)
	}
	k.memory = New(k.memory.dir) // another process
	if got, _ := k.make(t, true); got != "[n]\n" {
		t.Errorf("and later = %q", got)
	}
}

// TestChangedMeanwhile proves that nothing is kept of a compiler that was
// replaced while it was asked.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	k := newKernel(t, "6.1", include+probe("-Wall", "y", "n")+end)
	private := t.TempDir()
	env := []string{"PATH=" + private + ":" + k.bin + ":/usr/bin:/bin"}
	s, err := k.memory.Start(t.Context(), Build{Kernel: k.dir, Bin: private, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("make", "-C", k.dir)
	cmd.Env = append(env, s.Environ()...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if log, err := os.ReadFile(s.log()); err != nil || len(heard(string(log))) != 1 {
		t.Fatalf("heard %q, %v", log, err)
	}
	k.compiler(t, fakeCC+"\n", time.Now())
	if err := s.Learn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if answers, err := k.memory.load(); err != nil || len(answers) != 0 {
		t.Errorf("kept %v, %v", answers, err)
	}
}

// TestGuarded proves that memory is silent where a makefile changes PATH or
// what a toolchain finds its parts by.
func TestGuarded(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"export PATH := /x:$(PATH)\n", "export COMPILER_PATH := /x\n", "export GCC_EXEC_PREFIX = /x\n"} {
		k := newKernel(t, "6.1", include+line+probe("-Wall", "y", "n")+end)
		for range 2 {
			if got, asked := k.make(t, true); got != "[y]\n" || asked != 1 {
				t.Errorf("%s: %q, asked %d times; want 1", line, got, asked)
			}
		}
	}
}

// TestOtherMakefiles proves that a makefile that is not the kernel's sees
// nothing of ours: not in MAKEFILE_LIST, not as a goal, not as something that it
// could make, and its own try-run is its own.
func TestOtherMakefiles(t *testing.T) {
	t.Parallel()
	const makefile = `$(info $(MAKEFILE_LIST) [$(firstword $(MAKEFILE_LIST))] [$(origin dkms-hook.ask)])
try-run = mine
$(info $(call try-run,x) $(origin try-run) [$(.DEFAULT_GOAL)])
first: second ; @echo first $^
%: FORCE ; @echo made $@
Makefile: ;
FORCE:
.PHONY: FORCE first
`
	k := newKernel(t, "6.1", "all: ;\n")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "Makefile"), makefile)
	want, _ := k.make(t, false, "-C", dir)
	if got, _ := k.make(t, true, "-C", dir); got != want || !strings.Contains(got, "mine file []\nmade second\nfirst second") {
		t.Errorf("with = %s\nwithout = %s", got, want)
	}
}

// TestSubMake proves that the makes which a kernel's make starts answer from
// memory, wherever they run, and see MAKEFILE_LIST as ever.
func TestSubMake(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k := newKernel(t, "6.1", "export sub_make_done := 1\nall: ;@$(MAKE) -C "+dir+" -f sub.mk\n")
	write(t, filepath.Join(dir, "sub.mk"), "$(info [$(MAKEFILE_LIST)])\ninclude "+k.dir+"/scripts/Kbuild.include\n"+probe("-Wall", "y", "n")+end)
	want, _ := k.make(t, false)
	for _, times := range []int{1, 0} {
		if got, asked := k.make(t, true); got != want || asked != times {
			t.Errorf("%q, asked %d times; want %q, %d times", got, asked, want, times)
		}
	}
}

func TestStartWithout(t *testing.T) {
	t.Parallel()
	k := newKernel(t, "6.1", include+end)
	odd := newKernel(t, "6.1", include+end)
	write(t, filepath.Join(odd.dir, "scripts/Kbuild.include"), "try-run = no\n")
	private := t.TempDir()
	path := "PATH=" + k.bin + ":/usr/bin"
	for name, b := range map[string]Build{
		"path":       {Kernel: k.dir, Bin: private, Env: []string{"PATH=/a$b"}},
		"no path":    {Kernel: k.dir, Bin: private},
		"name":       {Kernel: k.dir, Bin: private + "/a b", Env: []string{path}},
		"guarded":    {Kernel: k.dir, Bin: private, Env: []string{path, "COMPILER_PATH=/x"}},
		"makefiles":  {Kernel: k.dir, Bin: private, Env: []string{path, "MAKEFILES=/x"}},
		"definition": {Kernel: odd.dir, Bin: private, Env: []string{path}},
		"kernel":     {Kernel: k.dir + "-not", Bin: private, Env: []string{path}},
	} {
		if s, err := k.memory.Start(t.Context(), b); err == nil {
			t.Errorf("%s: Start = %v; want an error", name, s)
		}
	}
	if left, err := os.ReadDir(private); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
