package kbuild

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild/probe"
)

// A start of kbuild takes a second of a processor, so that tests share what
// they can.
var (
	shared  string        // a directory, gone when the tests are over
	answers *probe.Memory // of the compilers, for builds that are not about these

	plainLock sync.Mutex
	plains    = map[string]*plain{}
)

func TestMain(m *testing.M) {
	if words := strings.Fields(os.Getenv(helperEnv)); len(words) > 0 {
		helper(words)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kbuild-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	shared, answers = dir, probe.New(filepath.Join(dir, "answers"))
	return m.Run()
}

// plain is hello, built by kbuild with nothing remembered.
type plain struct {
	*bench
	result  Result
	hello   string            // the path of hello.ko as it came from make
	outcome map[string]string // of that build
	turn    sync.Mutex
}

// built returns what was built for k, once for all tests.
func built(t *testing.T, k Kernel) *plain {
	t.Helper()
	plainLock.Lock()
	defer plainLock.Unlock()
	if p, ok := plains[k.Release]; ok {
		return p
	}
	dir, err := os.MkdirTemp(shared, "plain-")
	if err != nil {
		t.Fatal(err)
	}
	k.Suffix = ".ko.xz"
	p := &plain{bench: newBenchIn(t, dir, k, hello, Module{Built: "hello", Dest: "hello-renamed", Strip: true})}
	p.result = p.good(t)
	p.hello, p.outcome = filepath.Join(p.Scratch, "build", "hello.ko"), p.bench.outcome(t)
	plains[k.Release] = p
	return p
}

// beside returns a bench that builds the same at the same paths, which
// compilers write into what they make, with a scratch directory of its own.
func (p *plain) beside(t *testing.T) *bench {
	t.Helper()
	b := *p.bench
	b.lines = &lines{}
	b.Progress = b.lines.add
	b.Scratch = filepath.Join(t.TempDir(), "scratch")
	mkdir(t, b.Scratch)
	if os.Getuid() != 0 { // it builds in place, then
		p.turn.Lock()
		t.Cleanup(p.turn.Unlock)
	}
	return &b
}

// quick is newBench for a package whose make command is given, and whose
// source holds a ready hello.ko.in for k: most tests need no compiler.
func quick(t *testing.T, k Kernel, archive, makeCommand string, modules ...Module) *bench {
	t.Helper()
	from := built(t, k).hello
	b := newBench(t, k, archive, modules...)
	if err := system.CopyFile(from, filepath.Join(b.Source, "hello.ko.in"), 0o644); err != nil {
		t.Fatal(err)
	}
	b.Recipe.Make = makeCommand
	return b
}
