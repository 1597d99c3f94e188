package kbuild

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
)

// Class is what kind of failure a failed build is.
type Class string

// The classes. They are printed as they are.
const (
	Unclear       Class = ""
	MissingHeader Class = "header missing"
	MissingTool   Class = "tool missing"
	APIChange     Class = "kernel API change"
	WrongCompiler Class = "wrong compiler"
	OutOfMemory   Class = "out of memory"
	DiskFull      Class = "disk full"
	MissingSymbol Class = "symbol missing"
	WarningsFatal Class = "warning taken for an error"
	OtherModules  Class = "produced other modules"
	WrongKernel   Class = "wrong kernel directory"
	Timeout       Class = "timeout"
	Interrupted   Class = "interrupted"
)

// verdict begins the message of a make that failed.
func (c Class) verdict() string {
	switch c {
	case Unclear:
		return "does not compile"
	case DiskFull, OutOfMemory:
		return "failed (" + string(c) + ")"
	case Timeout:
		return "was ended (timeout)"
	case Interrupted:
		return "was interrupted"
	}
	return "does not compile (" + string(c) + ")"
}

// hint says what to do next, where that follows from the class alone.
func (c Class) hint() string {
	switch c {
	case APIChange, MissingSymbol:
		return "if only the kernel is new, this version of the package does not know it: look for a newer one"
	case WrongKernel:
		return "the Makefile looks for another kernel than it was told: hand it ${kernel_source_dir} in MAKE of dkms.conf"
	case OutOfMemory:
		return "build with fewer jobs: -j 1"
	case DiskFull:
		return "make room on the file system of the tree and of /tmp"
	case Timeout:
		return "build_timeout in /etc/dkms/framework.conf says how long a build may be silent"
	}
	return ""
}

// rule gives a line of a log a class.
type rule struct {
	class Class
	line  pattern
}

// rules are in the order in which they are tried. Compilers differ in words
// (gcc, clang), so a rule often has two forms; quotes are plain, see tidy.
var rules = []rule{
	{DiskFull, lazily(`No space left on device|Disk quota exceeded|^fixdep: not all data was written`)},
	{OutOfMemory, lazily(`(?i)out of memory|cannot allocate memory|virtual memory exhausted|Killed signal terminated program|signal 9 \(Killed\)|\bKilled$|: line \d+: +\d+ Killed\b|Error 137\b`)},
	{WrongCompiler, lazily(`unrecognized (command[- ]line )?(option|argument)|unknown (argument|warning option)|unsupported (option|argument)|` +
		`incompatible gcc/plugin versions|cannot load plugin|not supported by this compiler|bad value .* for '?-m|compiler .* (is )?too old|Compiler lacks`)},
	{MissingTool, lazily(`: (command )?not found$|: No such file or directory.*\bError 127\b|Error 127\b|program '?.*'? not found|` +
		`(gelf|libelf|openssl/[a-z0-9]+)\.h: No such file|make(\[\d+\])?: [\w.-]*(gcc|cc|clang|ld|lld)(-[\d.]+)?: No such file or directory$|` +
		`cannot find -l|please install `)},
	{WrongKernel, lazily(`(/lib/modules|/usr/src|/usr/lib/modules)/[^ ]*: No such file or directory\.  Stop`)},
	{MissingHeader, lazily(`fatal error: .*(No such file or directory|file not found)|error: '[^']+' file not found|` +
		`No rule to make target '[^']*\.h'|` +
		`Kernel configuration is invalid|include/(generated/autoconf\.h|config/auto\.conf) (is|are) missing`)},
	{APIChange, lazily(`implicit declaration of function|call to undeclared function|too (few|many) arguments (to|for|in)|` +
		`has no member named|no member named|incompatible (pointer|function|integer) |from incompatible pointer type|incompatible type for argument|conflicting types for|` +
		`undeclared \(first use|use of undeclared|unknown type name|incomplete (type|definition)|storage size of '.*' isn't known|` +
		`expected '?.*'? but argument is of type|initializing .* with an expression of incompatible type|void value not ignored|redefinition of|static declaration of|` +
		`passing .* to parameter of type|invalid use of (undefined|void)|^error\[E0(061|063|308|425|432|433|560|599)\]`)},
	{MissingSymbol, lazily(`modpost: .*(undefined!|uses symbol .* namespace|GPL-incompatible module)`)},
	{WarningsFatal, lazily(`\[-Werror[=,\]]`)},
}

// noise are lines that look like errors and are none, or that tell only that
// one was there before.
var noise = lazily(`^Skipping BTF generation|^# |^make(\[\d+\])?: (Entering|Leaving) directory|` +
	`In file included from|warning: the compiler differs|^ {2}(You are using|The kernel was built by):|` +
	`^make(\[\d+\])?: warning:|set -e; |: note: |^cc1\w*: (some|all) warnings being treated as errors|` +
	`: warning: .*(?:\[-W[^e][^\]]*\])?$|error trying to exec .as.|compilation terminated|^make(\[\d+\])?: \*\*\* Deleting (intermediate )?file `)

var (
	position  = lazily(`^(.*?):(\d+)(?::\d+)?: (?:fatal )?error: (.*)$`)
	makeError = lazily(`^make(?:\[\d+\])?: \*\*\* (.*)$`)
	modpost   = lazily(`^ERROR: (modpost: .*)$`)
	anyError  = lazily(`(?i)\b(fatal )?error\b[: ]|\*\*\*|undefined reference|not found$|No such file|Killed|No space left`)
	rustError = lazily(`^error(\[E\d+\])?: (.*?)(?: +--> (.*?):(\d+):\d+)?$`)
	bareError = lazily(`(?i)\berror:$`)
	makeTail  = lazily(`^\[.*\] Error \d+$|^\[.*\] Killed$|Waiting for unfinished jobs|^\[.*\] Segmentation`)
)

// Diagnose finds in the log of a make that failed the first error, and what
// kind of error it is. Paths below buildDir are given relative to it. Both
// results are empty when the log tells nothing.
func Diagnose(log, buildDir string) (first string, class Class) {
	d := diagnosis{buildDir: buildDir}
	for line := range strings.Lines(log) {
		if own := strings.HasPrefix(line, "# "); !own && (d.pending != "" || worthReading(line)) {
			d.read(tidy(line[:min(len(line), maxLine)]))
		}
	}
	first = cmp.Or(d.first, d.reason, d.tail)
	class = cmp.Or(d.class, classify(first))
	return strings.TrimSpace(strings.TrimSuffix(first, ".  Stop.")), class
}

// maxLine is how much of one line is read; the rest of a line that long is no
// message to a person.
const maxLine = 4096

// marks are in every line that can tell of an error. Looking for them first
// makes reading a log of many MiB a matter of milliseconds.
var marks = []string{"rror", "ERROR", "***", "not found", "o such file", "illed", "o space", "uota", "undefined", "emory", "missing", "not all data"}

func worthReading(line string) bool {
	return slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(line, mark) })
}

// diagnosis is what is known after some lines of a log.
type diagnosis struct {
	buildDir string
	first    string // a compiler's error
	reason   string // a line that looks like an error
	tail     string // make's last words, which only say that there was one
	class    Class
	pending  string // an error that goes on in the next line
}

func (d *diagnosis) read(line string) {
	if d.pending != "" {
		line, d.pending = d.join(line), ""
	}
	if line == "" || noise().MatchString(line) && !strings.Contains(line, ": error: ") {
		return
	}
	if rustError().MatchString(line) && !strings.Contains(line, " --> ") || bareError().MatchString(line) {
		d.pending = line
		return
	}
	class := classify(line)
	if class == DiskFull || class == OutOfMemory {
		// Whatever else is wrong, that is why; and its line says it best.
		if d.class != DiskFull && d.class != OutOfMemory {
			d.first, d.class = cmp.Or(errorText(line, d.buildDir), relative(line, d.buildDir)), class
		}
		return
	}
	if d.first != "" {
		return
	}
	if text := errorText(line, d.buildDir); text != "" {
		d.first, d.class = text, class
		return
	}
	d.guess(line)
}

// guess keeps line if it may be the reason, should no compiler name one.
func (d *diagnosis) guess(line string) {
	m := makeError().FindStringSubmatch(line)
	switch {
	case m != nil && makeTail().MatchString(m[1]):
		d.tail = cmp.Or(d.tail, line)
	case m != nil:
		d.reason = cmp.Or(d.reason, m[1])
	case anyError().MatchString(line):
		d.reason = cmp.Or(d.reason, relative(line, d.buildDir))
	}
}

// join completes the pending line: rustc gives the position in a line of its
// own, configure scripts the message.
func (d *diagnosis) join(line string) string {
	return d.pending + " " + strings.TrimLeft(line, " \t*")
}

// errorText returns the error that line is, with a short position, or nothing.
func errorText(line, buildDir string) string {
	if m := position().FindStringSubmatch(line); m != nil {
		return relative(m[1], buildDir) + ":" + m[2] + ": " + m[3]
	}
	if m := rustError().FindStringSubmatch(line); m != nil && m[3] != "" {
		return relative(m[3], buildDir) + ":" + m[4] + ": " + m[2]
	}
	if m := modpost().FindStringSubmatch(line); m != nil {
		return relative(m[1], buildDir)
	}
	for _, prefix := range []string{"cc1: error: ", "gcc: error: ", "clang: error: ", "ld: error: ", "ld.lld: error: "} {
		if text, ok := strings.CutPrefix(line, prefix); ok {
			return strings.TrimSuffix(prefix, "error: ") + text
		}
	}
	return ""
}

func classify(line string) Class {
	for _, r := range rules {
		if r.line().MatchString(line) {
			return r.class
		}
	}
	return Unclear
}

var escape = lazily("\x1b\\[[0-9;]*[A-Za-z]|\x1b\\]8;[^\x07\x1b]*(\x07|\x1b\\\\)")

// tidy removes colours, typographic quotes and control characters.
func tidy(line string) string {
	line = strings.TrimRight(escape().ReplaceAllString(line, ""), "\r\n\t ")
	line = strings.NewReplacer("‘", "'", "’", "'", "`", "'").Replace(line)
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, line)
}

// relative takes buildDir off the paths in text.
func relative(text, buildDir string) string {
	if buildDir == "" {
		return text
	}
	return strings.ReplaceAll(text, filepath.Clean(buildDir)+"/", "")
}
