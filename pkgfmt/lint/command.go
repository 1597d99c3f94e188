package lint

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/dkms-hook/dkms-hook/conf"
)

// unknown stands for a part of a text that only the run tells, here for the
// current directory.
const (
	unknown = "\uE000"
	here    = "\uE001"
)

// A makeCall is one call of make in a command.
type makeCall struct {
	kbuild bool              // it goes to the kernel's tree, and builds what is in dir
	dir    string            // of the tree, where its Makefile is
	known  bool              // dir is known
	file   string            // -f; empty: make's own choice
	vars   map[string]string // of the command line
	env    map[string]string // of the environment
	goals  []string

	tainted map[string]*origin // vars that depend on uname
}

// A commandReader finds the calls of make in a shell command.
type commandReader struct {
	base   string   // directory of the tree that the command starts in
	inTree []string // prefixes of paths that are the tree
	kernel string   // the kernel's directory of headers
	calls  []makeCall
	other  bool // it calls other programs, too
}

// makeCalls returns the calls of make in MAKE, resolved for a sample.
func (l *linter) makeCalls(command string, a answer) *commandReader {
	p := a.conf.Package()
	r := &commandReader{base: l.base(), kernel: "/lib/modules/" + a.sample.release, inTree: []string{
		filepath.Join(trees.DKMS, p.Name, p.Version, "build"), filepath.Join(trees.DKMS, p.Name, p.Version, "source"),
		filepath.Join(trees.Source, p.Name+"-"+p.Version), l.tree.dir,
	}}
	r.readAll(command)
	return r
}

// readAll reads a shell command.
func (r *commandReader) readAll(command string) {
	dir, known := r.base, true
	for _, st := range parseShell(command) {
		walk(st, func(n syntax.Node) bool {
			if call, ok := n.(*syntax.CallExpr); ok {
				r.call(call, &dir, &known)
			}
			return true
		})
	}
}

// call reads one simple command.
func (r *commandReader) call(call *syntax.CallExpr, dir *string, known *bool) {
	m := makeCall{dir: *dir, known: *known, vars: map[string]string{}, env: map[string]string{}}
	for _, as := range call.Assigns {
		if as.Name != nil && as.Value != nil {
			m.env[as.Name.Value] = shellText(as.Value)
		}
	}
	words := make([]string, len(call.Args))
	for i, w := range call.Args {
		words[i] = shellText(w)
	}
	for len(words) > 0 && slices.Contains([]string{"env", "command", "exec", "nice", "time", "eval"}, words[0]) {
		words = words[1:]
		for len(words) > 0 && (assignsVariable.MatchString(words[0]) || strings.HasPrefix(words[0], "-")) {
			if name, value, ok := strings.Cut(words[0], "="); ok {
				m.env[name] = value
			}
			words = words[1:]
		}
	}
	switch {
	case len(words) == 0:
	case words[0] == "cd" || words[0] == "pushd":
		if len(words) > 1 {
			*dir, *known = r.directory(*dir, words[1])
		}
	case slices.Contains([]string{"make", "gmake", "$(MAKE)", "${MAKE}"}, filepath.Base(words[0])):
		m.read(words[1:], r)
		r.calls = append(r.calls, m)
	case !slices.Contains(builtins, words[0]) && !slices.Contains(conf.Harmless(), words[0]):
		r.other = true
	}
}

var assignsVariable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*[:+?]*=`)

// read reads the arguments of make(1).
func (m *makeCall) read(args []string, r *commandReader) {
	extmod := ""
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case assignsVariable.MatchString(arg):
			name, value, _ := strings.Cut(arg, "=")
			m.vars[strings.TrimRight(name, ":+?")] = value
			if name == "M" || name == "SUBDIRS" || name == "KBUILD_EXTMOD" {
				extmod = value
			}
		case (arg == "-C" || arg == "--directory") && i+1 < len(args):
			i++
			m.change(args[i], r)
		case strings.HasPrefix(arg, "-C") || strings.HasPrefix(arg, "--directory="):
			m.change(strings.TrimPrefix(strings.TrimPrefix(arg, "--directory="), "-C"), r)
		case (arg == "-f" || arg == "--file" || arg == "--makefile") && i+1 < len(args):
			i++
			m.file = args[i]
		case slices.Contains([]string{"-I", "-o", "-W", "-l", "-E"}, arg):
			i++
		case (arg == "-j" || arg == "-l") && i+1 < len(args) && strings.Trim(args[i+1], "0123456789"+unknown) == "":
			i++
		case strings.HasPrefix(arg, "-"):
		default:
			m.goals = append(m.goals, arg)
		}
	}
	switch {
	case extmod != "" && (m.kbuild || !m.known): // an unknown -C will be the kernel's
		m.kbuild = true
		m.dir, m.known = r.directory(r.base, extmod)
	case m.kbuild:
		m.known = false
	}
}

func (m *makeCall) change(dir string, r *commandReader) {
	if dir == r.kernel+"/build" || dir == r.kernel+"/source" || strings.HasPrefix(dir, r.kernel) {
		m.kbuild = true
		return
	}
	m.dir, m.known = r.directory(m.dir, dir)
}

// directory is a path as a directory of the tree; false when it is none.
func (r *commandReader) directory(from, path string) (string, bool) {
	if strings.Contains(path, unknown) {
		return from, false
	}
	path = strings.Replace(path, here, ".", 1)
	path = filepath.Clean(path)
	for _, prefix := range r.inTree {
		if path == prefix {
			return r.base, true
		}
		if rest, ok := strings.CutPrefix(path, prefix+"/"); ok {
			return local(r.base, rest)
		}
	}
	if filepath.IsAbs(path) {
		return from, false
	}
	return local(from, path)
}

// shellText is a word as far as it is known.
func shellText(w *syntax.Word) string {
	if w == nil {
		return ""
	}
	var b strings.Builder
	shellParts(&b, w.Parts)
	return strings.ReplaceAll(b.String(), `\`, "")
}

func shellParts(b *strings.Builder, parts []syntax.WordPart) {
	for _, part := range parts {
		if q, ok := part.(*syntax.DblQuoted); ok {
			shellParts(b, q.Parts)
			continue
		}
		if writePlain(b, part) {
			continue
		}
		if isHere(part) {
			b.WriteString(here)
			continue
		}
		b.WriteString(unknown)
	}
}

// isHere reports whether an expansion is $PWD or $(pwd).
func isHere(part syntax.WordPart) bool {
	switch part := part.(type) {
	case *syntax.ParamExp:
		return part.Param != nil && part.Param.Value == "PWD"
	case *syntax.CmdSubst:
		if len(part.Stmts) != 1 {
			return false
		}
		call, ok := part.Stmts[0].Cmd.(*syntax.CallExpr)
		return ok && len(call.Args) == 1 && call.Args[0].Lit() == "pwd"
	}
	return false
}

var (
	jobsOption = regexp.MustCompile(`\bmake'?\b[^;&|]*\s(-j\s*\S*|--jobs(=\S*)?)`)
	serial     = regexp.MustCompile(`\s(-j\s*|--jobs=)1\b`) // for Makefiles that cannot do otherwise
	bareMake   = regexp.MustCompile(`^make(\s|$)`)
)

// checkCommands judges MAKE by itself.
func (l *linter) checkCommands() {
	type key struct {
		rule string
		i    int
	}
	done := map[key]bool{}
	for _, a := range l.answers {
		values := a.conf.Values["MAKE"]
		for _, i := range values.Indexes() {
			command := strings.TrimSpace(values[i])
			line := l.where.line("MAKE", i)
			if command == "" {
				continue
			}
			if jobsOption.MatchString(command) && !serial.MatchString(command) && !done[key{"own-jobs", i}] && !l.usesJobs(line) {
				done[key{"own-jobs", i}] = true
				l.atConf("own-jobs", line, "%s sets the number of jobs itself", subscripted("MAKE", i))
			}
			if asksUname.MatchString(command) && !done[key{"running-kernel", i}] {
				done[key{"running-kernel", i}] = true
				done[key{"make-without-kernel", i}] = true
				l.atConf("running-kernel", line, "%s asks uname for the kernel that runs", subscripted("MAKE", i))
			}
			if strings.Contains(command, a.sample.release) || done[key{"make-without-kernel", i}] {
				continue
			}
			done[key{"make-without-kernel", i}] = true
			l.withoutKernel(command, i, line)
		}
	}
}

// usesJobs reports whether a line, or the value that is continued on the next
// ones, is about dkms's own number of jobs.
func (l *linter) usesJobs(line int) bool {
	lines := strings.Split(l.text, "\n")
	return line > 0 && line <= len(lines) && strings.Contains(strings.Join(lines[line-1:min(line+5, len(lines))], "\n"), "parallel_jobs")
}

// withoutKernel judges a command that names no kernel. dkms gives a bare `make`
// KERNELRELEASE; whether its Makefile uses that, the tree tells.
func (l *linter) withoutKernel(command string, i, line int) {
	switch {
	case !bareMake.MatchString(command):
		l.atConf("make-without-kernel", line, "%s=%q does not say which kernel to build for", subscripted("MAKE", i), clipped(command))
	case !l.whole:
		l.addAs("make-without-kernel", Note, l.confPath, line, "%s=%q tells make the kernel by KERNELRELEASE only, which dkms adds", subscripted("MAKE", i), clipped(command))
	}
}

// clipped is the beginning of a long text.
func clipped(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:79]) + "…"
	}
	return s
}
