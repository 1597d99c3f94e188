package conf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// defaultTimeout is how long an external command of a dkms.conf may run; a
// whole evaluation may take three times as long.
const defaultTimeout = 10 * time.Second

// An evaluation is one run of a dkms.conf and its overrides. The fields that
// are functions and the search path are there for tests to change.
type evaluation struct {
	request Request
	kernel  kbuild.Kernel
	path    string            // PATH of the file and its children
	timeout time.Duration     // of one external command
	allow   func(string) bool // which external programs may run; nil is all

	cancel   context.CancelCauseFunc
	runner   *interp.Runner
	rewriter rewriter
	pipes    pipes
	sandbox  sandbox
	stderr   tail
	written  map[string]*[]byte // files written by redirection
	sourced  map[string][]byte  // rewritten files on their way to `source`
	sources  int
	touched  bool // a program runs, or ran, that may write

	asksPipeStatus, pipefail bool
	discarded, returned      bool
	exitAt                   int // line of the last `exit`

	file      string                       // that is being run, not one that it sources
	text      []byte                       // its content
	expanding struct{ name, index string } // the value that is expanded again

	where    positions
	warnings []Problem
	problems []Problem
	slow     []string // external commands that were ended
}

func newEvaluation(r Request, k kbuild.Kernel) *evaluation {
	e := &evaluation{
		request: r, kernel: k, path: system.SafePath, timeout: r.Timeout,
		written: map[string]*[]byte{}, sourced: map[string][]byte{}, where: positions{},
	}
	if e.timeout <= 0 {
		e.timeout = defaultTimeout
	}
	e.sandbox.keep = []string{filepath.Dir(r.File), r.EtcDir, r.Trees.DKMS, r.Trees.Source, r.Trees.Install, k.Source}
	return e
}

// shared is what e may share: nothing more once a program ran that may write.
func (e *evaluation) shared() *Shared {
	if e.touched {
		return nil
	}
	return e.request.Shared
}

// start makes the shell.
func (e *evaluation) start() error {
	dir := filepath.Dir(e.request.File)
	runner, err := interp.New(
		interp.Env(e.presets()),
		interp.StdIO(nil, nil, &e.stderr),
		func(r *interp.Runner) error { r.Dir = dir; return nil },
		interp.CallHandler(e.call),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return e.execute }),
		interp.OpenHandler(e.open),
		interp.StatHandler(e.stat),
		interp.AccessHandler(e.access),
	)
	e.runner = runner
	return err
}

func (e *evaluation) close() {
	e.sandbox.close()
	e.pipes.close()
}

// presets are the variables a dkms.conf is promised (dkms(8), "dkms.conf
// variables"), besides those that bash sets itself.
func (e *evaluation) presets() presets {
	r, k := e.request, e.kernel
	p := make(presets, 16)
	p.set("kernelver", k.Release, false)
	p.set("arch", k.Arch, false)
	p.set("kernel_source_dir", k.Source, false)
	p.set("kernel_config", k.ConfigFile, false)
	p.set("dkms_tree", r.Trees.DKMS, false)
	p.set("source_tree", r.Trees.Source, false)
	p.set("install_tree", r.Trees.Install, false)
	p.set("module", r.Package.Name, false)
	p.set("module_version", r.Package.Version, false)
	if r.Jobs >= 0 { // it is known: not while framework.conf is read for it
		p.set("parallel_jobs", strconv.Itoa(r.Jobs), false)
	}
	p.set("PATH", e.path, true)
	p["BASH_SOURCE"] = expand.Variable{Set: true, Kind: expand.Indexed, List: []string{r.File}}
	return p
}

// presets is the environment an evaluation starts with: its own variables, and
// behind them shellVariables.
type presets map[string]expand.Variable

func (p presets) set(name, value string, export bool) {
	p[name] = expand.Variable{Set: true, Kind: expand.String, Str: value, Exported: export}
}

// Get implements expand.Environ.
func (p presets) Get(name string) expand.Variable {
	if v, ok := p[name]; ok {
		return v
	}
	return shellVariables()[name]
}

// Each implements expand.Environ.
func (p presets) Each(f func(string, expand.Variable) bool) {
	for _, m := range []presets{shellVariables(), p} {
		for name, v := range m {
			if !f(name, v) {
				return
			}
		}
	}
}

// shellVariables are those of every evaluation.
var shellVariables = sync.OnceValue(func() presets {
	p := presets{}
	p.set("LC_ALL", "C", true)
	p.set("HOME", "/", true)
	if home := os.Getenv("HOME"); home != "" {
		p.set("HOME", home, true)
	}
	for name, value := range map[string]string{
		"BASH": "/bin/bash", "BASH_VERSION": "5.2.15(1)-release", "OSTYPE": "linux-gnu", "SHLVL": "1", "SECONDS": "0",
		"UID": strconv.Itoa(os.Getuid()), "EUID": strconv.Itoa(os.Geteuid()), "GID": strconv.Itoa(os.Getgid()),
	} {
		p.set(name, value, false)
	}
	host, _ := os.Hostname()
	p.set("HOSTNAME", host, false)
	p["BASH_VERSINFO"] = expand.Variable{Set: true, Kind: expand.Indexed, List: []string{"5", "2", "15", "1", "release", ""}}
	p["PIPESTATUS"] = expand.Variable{Set: true, Kind: expand.Indexed, List: []string{"0"}}
	p["FUNCNAME"] = expand.Variable{Set: true, Kind: expand.Indexed, List: []string{"source"}}
	return p
})

// run sources one file. What is wrong with it is left in problems and
// warnings; the error is for the end of ctx and of patience.
func (e *evaluation) run(ctx context.Context, file string, text []byte) error {
	defer e.contain(file)
	e.file, e.text = file, text
	p := parse(text, file)
	if p.broken != nil {
		// Bash goes on with what stands before the error, and so does the
		// evaluation; but nobody should build from half a file.
		e.problems = append(e.problems, *p.broken)
	}
	if len(text) > sourceLimit {
		return nil // nothing was parsed
	}
	e.asksPipeStatus = e.asksPipeStatus || strings.Contains(string(text), "PIPESTATUS")
	stmts := e.rewriter.file(p, e.where, true)
	if p.risky {
		return e.runByLine(ctx, file, stmts)
	}
	_, err := e.runNode(ctx, file, &syntax.File{Name: "dkms", Stmts: stmts})
	return err
}

// contain makes a problem of a panic: the parser and the interpreter have some
// left for input that nobody would write. It is to be deferred.
func (e *evaluation) contain(file string) {
	if r := recover(); r != nil {
		e.problems = append(e.problems, Problem{File: file, Text: fmt.Sprintf("the shell interpreter failed: %v", r)})
	}
}

// runByLine runs statement by statement, because a bad substitution makes
// bash give up the rest of the line, and only that.
func (e *evaluation) runByLine(ctx context.Context, file string, stmts []*syntax.Stmt) error {
	skip := uint(0)
	for _, st := range stmts {
		if st.Pos().Line() == skip {
			continue
		}
		over, err := e.runNode(ctx, file, st)
		if err != nil || over {
			return err
		}
		if e.discarded {
			e.discarded = false
			skip = st.End().Line()
			e.warnings = append(e.warnings, Problem{File: file, Line: int(st.Pos().Line()), Text: "bad substitution"})
		}
	}
	return nil
}

// runNode runs a part of the file; over tells that the file ended itself.
func (e *evaluation) runNode(ctx context.Context, file string, node syntax.Node) (over bool, err error) {
	e.returned, e.exitAt = false, 0
	over = true // should it panic
	defer e.contain(file)
	ctx, e.cancel = context.WithCancelCause(ctx)
	defer e.cancel(nil)
	err = e.runner.Run(ctx, node)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	over = false
	var status interp.ExitStatus
	switch {
	case err == nil, errors.As(err, &status):
		over = e.runner.Exited()
		if over && !e.returned {
			e.warnings = append(e.warnings, Problem{File: file, Line: e.exitAt,
				Text: fmt.Sprintf("leaves the shell (exit status %d): what follows is not read", status)})
		}
		return over, nil
	case errors.Is(err, errDiscard):
		return false, nil
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return true, err
	}
	e.problems = append(e.problems, Problem{File: file, Text: err.Error()})
	return true, nil
}

// values are the directives as they stand.
func (e *evaluation) values() Directives { return e.variables(directiveNames) }

func (e *evaluation) variables(names []string) Directives {
	d := Directives{}
	for _, name := range names {
		v, ok := e.runner.Vars[name]
		if !ok {
			continue
		}
		if v.Kind == expand.NameRef {
			_, v = v.Resolve(runnerVars(e.runner.Vars))
		}
		switch v.Kind {
		case expand.String:
			if v.IsSet() {
				d.Set(name, 0, plain(v.Str))
			}
		case expand.Indexed:
			for i, s := range v.List {
				index := i
				if v.Indexes != nil {
					index = v.Indexes[i]
				}
				d.Set(name, index, plain(s))
			}
		}
	}
	return d
}

// plain is a value as a directive: one trailing CR, of a file with DOS line
// ends, is dropped.
func plain(s string) string {
	return strings.TrimSuffix(decode(s), "\r")
}

// runnerVars lets a nameref be resolved.
type runnerVars map[string]expand.Variable

func (v runnerVars) Get(name string) expand.Variable { return v[name] }

func (v runnerVars) Each(func(string, expand.Variable) bool) {}

// tail keeps the first 64 KiB of what is printed.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if room := 64<<10 - len(t.text); room > 0 {
		t.text = append(t.text, b[:min(room, len(b))]...)
	}
	return len(b), nil
}

// String returns what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return readable(string(t.text))
}

// readFile reads a configuration file; ok is false when there is none.
func readFile(path string) (text []byte, ok bool, err error) {
	f, err := openRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	text, err = system.ReadUpTo(f, sourceLimit+1)
	return text, err == nil, err
}
