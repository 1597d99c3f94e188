package kbuild

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// jobsUse is what a make command has to do with jobs.
type jobsUse struct {
	// command is without the -jN that would have its makes share nothing. -j1
	// stays: it is how an author says what he knows.
	command string
	// serial tells that the package wants one job at a time: it quotes 'make',
	// or says -j1.
	serial bool
	// widened tells that some of its makes got one job of DKMS, which gives -j
	// to a command's first word only, and that a bare make; so nobody knows
	// whether they can do with more.
	widened bool
}

var (
	bareMake   = lazily(`^make(\s|$)`)
	quotedMake = lazily(`^\s*('make'|"make"|\\make)([\s;&|]|$)`)
)

// useOfJobs reads command, a piece of shell. -jN is taken out where a make is
// given it in so many words; what scripts, variables and Makefiles add is not
// seen.
func useOfJobs(command string) jobsUse {
	use := jobsUse{command: command}
	calls, ok := makeCalls(command)
	if !ok || len(calls) == 0 {
		use.serial = quotedMake().MatchString(command)
		use.widened = !use.serial && !bareMake().MatchString(command)
		return use
	}
	one, many := 0, 0
	for i, c := range calls {
		switch {
		case c.jobs == 1:
			one++
		case c.jobs != unsaid:
			many++
		default:
			use.widened = use.widened || i > 0 || !bareMake().MatchString(command)
		}
	}
	use.serial = one == len(calls) || many == 0 && quotedMake().MatchString(command)
	use.widened = use.widened && !use.serial
	for _, c := range slices.Backward(calls) {
		for _, w := range slices.Backward(c.drop) {
			before := use.command[:w.from]
			if w.keep == "" {
				before = strings.TrimRight(before, " \t")
			}
			use.command = before + w.keep + use.command[w.to:]
		}
	}
	return use
}

// unsaid and unlimited are numbers of jobs that are none.
const (
	unsaid    = -1
	unlimited = 0
)

// A makeCall is where a command runs make.
type makeCall struct {
	jobs int   // what its last -j says
	drop []cut // options that say other than one job
}

// A cut is a part of a command's text that is to be replaced.
type cut struct {
	from, to int
	keep     string
}

// makeCalls finds the makes in command; false means that it cannot be read.
func makeCalls(command string) (calls []makeCall, ok bool) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(command), "")
	if err != nil {
		return nil, false
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		if call, is := node.(*syntax.CallExpr); is {
			if i := makeAt(call.Args); i >= 0 {
				calls = append(calls, readMakeCall(call.Args[i+1:]))
			}
		}
		return true
	})
	return calls, true
}

// runners are commands that run the command which follows.
var runners = []string{"env", "exec", "command", "nice", "ionice", "nohup", "time"}

// makeAt returns where among args make is run, or -1.
func makeAt(args []*syntax.Word) int {
	for i, w := range args {
		text, _ := plainText(w)
		switch {
		case path.Base(text) == "make", path.Base(text) == "gmake":
			return i
		case i > 0 && (strings.HasPrefix(text, "-") || strings.Contains(text, "=")):
		case slices.Contains(runners, text):
		default:
			return -1
		}
	}
	return -1
}

// oneLetter is an option word of make with -j in it, after letters that take
// no value.
var oneLetter = lazily(`^-([bdehikLmnpqrRsStvwB]*)j(\d*)$`)

// readMakeCall reads the words after make.
func readMakeCall(args []*syntax.Word) makeCall {
	c := makeCall{jobs: unsaid}
	last := -1 // in drop
	for i := 0; i < len(args); i++ {
		text, whole := plainText(args[i])
		w := cut{from: int(args[i].Pos().Offset()), to: int(args[i].End().Offset())}
		number := ""
		switch m := oneLetter().FindStringSubmatch(text); {
		case m != nil && whole:
			number = m[2]
			if m[1] != "" {
				w.keep = "-" + m[1]
			}
		case whole && (text == "--jobs" || strings.HasPrefix(text, "--jobs=")):
			number = strings.TrimPrefix(strings.TrimPrefix(text, "--jobs"), "=")
		case !whole && (text == "-j" || text == "--jobs="): // -j$(nproc)
			number = "0"
		default:
			continue
		}
		if number == "" && i+1 < len(args) {
			next, whole := plainText(args[i+1])
			if !whole { // -j $(nproc), or a target after all: nobody knows
				c.jobs = unlimited
				continue
			}
			if _, err := strconv.ParseUint(next, 10, 16); err == nil {
				i++
				number, w.to = next, int(args[i].End().Offset())
			}
		}
		c.jobs, _ = strconv.Atoi(number)
		last = len(c.drop)
		c.drop = append(c.drop, w)
	}
	if c.jobs == 1 && last >= 0 {
		c.drop = slices.Delete(c.drop, last, last+1)
	}
	return c
}

// plainText returns what w is without quotes. whole is false when it holds
// expansions: then it is what stands before the first.
func plainText(w *syntax.Word) (text string, whole bool) {
	var b strings.Builder
	for _, part := range w.Parts {
		switch p := part.(type) {
		case *syntax.Lit:
			b.WriteString(strings.ReplaceAll(p.Value, `\`, ""))
		case *syntax.SglQuoted:
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			for _, inner := range p.Parts {
				lit, ok := inner.(*syntax.Lit)
				if !ok {
					return b.String(), false
				}
				b.WriteString(lit.Value)
			}
		default:
			return b.String(), false
		}
	}
	return b.String(), true
}
