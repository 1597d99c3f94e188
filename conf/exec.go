package conf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// execute is where every command ends up that is neither a builtin nor a
// function.
func (e *evaluation) execute(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	switch args[0] {
	case discardCommand:
		e.discarded = true
		return errDiscard
	case statusCommand, resultCommand:
		return e.pipelineStatus(args[1:])
	case tickCommand:
		return nil
	case fileCommand:
		path, err := e.pipes.keep(args[1])
		fmt.Fprint(hc.Stdout, path)
		return err
	case quoteCommand:
		fmt.Fprint(hc.Stdout, quoteERE(args[1]))
		return nil
	case regexpCommand:
		expr, err := translateERE(args[1])
		if err != nil {
			expr = "(" // which mvdan.cc/sh refuses, with bash's status
		}
		fmt.Fprint(hc.Stdout, expr)
		return nil
	case replaceCommand:
		for i, value := range args[4:] {
			args[4+i] = replacePattern(args[1], args[2], args[3], value)
		}
		fmt.Fprint(hc.Stdout, strings.Join(args[4:], " "))
		return nil
	case catCommand:
		if hc.Stdin != nil {
			_, _ = io.Copy(hc.Stdout, io.LimitReader(hc.Stdin, memoryLimit))
		}
		return nil
	case countCommand:
		fmt.Fprint(hc.Stdout, len(args)-1)
		return nil
	}
	if filepath.Base(args[0]) == "uname" {
		return e.uname(hc, args[1:])
	}
	if e.request.Programs != nil {
		return e.listed(ctx, hc, args)
	}
	return e.program(ctx, hc, args)
}

// program runs an external program with what the file exports.
func (e *evaluation) program(ctx context.Context, hc interp.HandlerContext, args []string) error {
	for i := range args {
		args[i] = decode(args[i])
	}
	path, err := interp.LookPathDir(hc.Dir, hc.Env, args[0])
	if err != nil {
		return notFound(hc, args[0])
	}
	if e.allow != nil && !e.allow(args[0]) {
		fmt.Fprintf(hc.Stderr, "%s: external programs are not run here\n", args[0])
		return interp.ExitStatus(127)
	}
	hc.Stdout, hc.Stderr = behind(hc.Stdout), behind(hc.Stderr) // two that are one are seen as one
	name, args, env := args[0], append([]string{path}, args[1:]...), exported(hc.Env)
	return e.ask(ctx, hc, args, env, func(hc interp.HandlerContext) error {
		if !e.touched { // nor does this one
			return e.child(ctx, hc, name, args, env, nil)
		}
		return e.child(ctx, hc, name, args, env, &e.sandbox)
	})
}

// child runs a program, called name, to its end: with a time limit, nothing to
// read but a pipe, and in the sandbox, if any.
func (e *evaluation) child(ctx context.Context, hc interp.HandlerContext, name string, args, env []string, in *sandbox) error {
	limited, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	command := system.Command{
		Args: args, Dir: hc.Dir, Env: env,
		Stdin: hc.Stdin, Stdout: hc.Stdout, Stderr: hc.Stderr,
	}
	err := in.run(func() error { return system.Run(limited, command) })
	var ee *system.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		e.slow = append(e.slow, name)
		return interp.ExitStatus(124)
	case errors.As(err, &ee):
		return interp.ExitStatus(ee.Status)
	case errors.Is(err, errTooMuch):
		return interp.ExitStatus(141)
	}
	fmt.Fprintf(hc.Stderr, "%s: %v\n", name, err)
	return interp.ExitStatus(126)
}

func notFound(hc interp.HandlerContext, name string) error {
	if strings.Contains(name, "/") {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(hc.Dir, path)
		}
		info, err := os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			fmt.Fprintf(hc.Stderr, "%s: Is a directory\n", name)
			return interp.ExitStatus(126)
		case err == nil || errors.Is(err, fs.ErrPermission):
			fmt.Fprintf(hc.Stderr, "%s: Permission denied\n", name)
			return interp.ExitStatus(126)
		}
		fmt.Fprintf(hc.Stderr, "%s: No such file or directory\n", name)
		return interp.ExitStatus(127)
	}
	fmt.Fprintf(hc.Stderr, "%s: command not found\n", readable(name))
	return interp.ExitStatus(127)
}

// exported is the environment of a child.
func exported(env expand.Environ) []string {
	values := map[string]string{}
	env.Each(func(name string, v expand.Variable) bool {
		delete(values, name)
		if v.IsSet() && v.Exported && v.Kind == expand.String {
			values[name] = v.Str
		}
		return true
	})
	list := make([]string, 0, len(values))
	for name, value := range values {
		list = append(list, name+"="+decode(value))
	}
	return list
}

// pipelineStatus sets $? after a pipeline.
func (e *evaluation) pipelineStatus(statuses []string) error {
	status := 0
	for i, s := range statuses {
		n, _ := strconv.Atoi(s)
		if i == len(statuses)-1 && (n != 0 || !e.pipefail) || n != 0 && e.pipefail {
			status = n
		}
	}
	if status == 0 {
		return nil
	}
	return interp.ExitStatus(uint8(status))
}

// uname answers with the kernel that is asked about, not the running one
// (uname(1)).
func (e *evaluation) uname(hc interp.HandlerContext, args []string) error {
	const order = "snrvmpio"
	long := map[string]string{
		"--kernel-name": "s", "--nodename": "n", "--kernel-release": "r", "--kernel-version": "v",
		"--machine": "m", "--processor": "p", "--hardware-platform": "i", "--operating-system": "o", "--all": "a",
	}
	asked := ""
	for _, arg := range args {
		switch {
		case long[arg] != "":
			asked += long[arg]
		case len(arg) > 1 && arg[0] == '-' && strings.Trim(arg[1:], order+"a") == "":
			asked += arg[1:]
		default:
			fmt.Fprintf(hc.Stderr, "uname: extra operand or invalid option %q\n", arg)
			return interp.ExitStatus(1)
		}
	}
	if asked == "" {
		asked = "s"
	}
	if strings.Contains(asked, "a") {
		asked = "snrvmo"
	}
	node, _ := os.Hostname()
	answer := map[rune]string{
		's': "Linux", 'n': node, 'r': e.kernel.Release, 'v': "#1 SMP", 'm': e.kernel.Arch,
		'p': "unknown", 'i': "unknown", 'o': "GNU/Linux",
	}
	var words []string
	for _, c := range order {
		if strings.ContainsRune(asked, c) {
			words = append(words, answer[c])
		}
	}
	fmt.Fprintln(hc.Stdout, strings.Join(words, " "))
	return nil
}

// A sandbox runs programs in a view of the machine that is read-only, with a
// /tmp of its own. It is made when the first program runs that may write, for most
// dkms.conf files never. Without the privilege for it, and in nil, programs run as they
// are.
type sandbox struct {
	keep  []string // paths to be seen even where they lie below /tmp
	work  chan func()
	ended chan error
	plain bool
}

func (s *sandbox) run(fn func() error) error {
	if s == nil {
		return fn()
	}
	if s.work == nil && !s.plain {
		s.start()
	}
	if s.plain {
		return fn()
	}
	result := make(chan error, 1)
	s.work <- func() { result <- fn() }
	return <-result
}

func (s *sandbox) start() {
	work, ready := make(chan func()), make(chan struct{})
	s.ended = make(chan error, 1)
	go func() {
		s.ended <- system.WithReadOnlyView(s.keep, func() error {
			close(ready)
			for fn := range work {
				fn()
			}
			return nil
		})
	}()
	select {
	case <-ready:
		s.work = work
	case <-s.ended: //nolint:errcheck // whatever the reason, programs run plainly then
		s.plain = true
	}
}

func (s *sandbox) close() {
	if s.work != nil {
		close(s.work)
		<-s.ended //nolint:errcheck // what the programs met has been told
	}
}
