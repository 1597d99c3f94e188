package kbuild

import (
	"path/filepath"
	"regexp"
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
		return "this version of the package does not know this kernel: look for a newer one"
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
	line  *regexp.Regexp
}

// rules are in the order in which they are tried. Compilers differ in words
// (gcc, clang), so a rule often has two forms; quotes are plain, see tidy.
var rules = []rule{
	{DiskFull, regexp.MustCompile(`No space left on device|Disk quota exceeded`)},
	{OutOfMemory, regexp.MustCompile(`(?i)out of memory|cannot allocate memory|virtual memory exhausted|Killed signal terminated program|signal 9 \(Killed\)|\bKilled$|Error 137\b`)},
	{WrongCompiler, regexp.MustCompile(`unrecognized (command[- ]line )?(option|argument)|unknown (argument|warning option)|unsupported (option|argument)|` +
		`incompatible gcc/plugin versions|cannot load plugin|not supported by this compiler|bad value .* for '?-m|compiler .* (is )?too old|Compiler lacks`)},
	{MissingTool, regexp.MustCompile(`: (command )?not found$|: No such file or directory.*\bError 127\b|Error 127\b|program '?.*'? not found|` +
		`(gelf|libelf|openssl/[a-z0-9]+)\.h: No such file|make: [^ ]*: No such file or directory$|cannot find -l`)},
	{WrongKernel, regexp.MustCompile(`\*\*\* (/lib/modules|/usr/src|/usr/lib/modules)/[^ ]*: No such file or directory\.`)},
	{MissingHeader, regexp.MustCompile(`fatal error: .*(No such file or directory|file not found)|error: '[^']+' file not found|` +
		`No rule to make target '[^']*\.h'|` +
		`Kernel configuration is invalid|include/(generated/autoconf\.h|config/auto\.conf) (is|are) missing`)},
	{APIChange, regexp.MustCompile(`implicit declaration of function|call to undeclared function|too (few|many) arguments (to|for|in)|` +
		`has no member named|no member named|incompatible (pointer|function|integer) |from incompatible pointer type|incompatible type for argument|conflicting types for|` +
		`undeclared \(first use|use of undeclared|unknown type name|incomplete (type|definition)|storage size of '.*' isn't known|` +
		`expected '?.*'? but argument is of type|initializing .* with an expression of incompatible type|void value not ignored|redefinition of|static declaration of|` +
		`passing .* to parameter of type|invalid use of (undefined|void)`)},
	{MissingSymbol, regexp.MustCompile(`modpost: .*(undefined!|uses symbol .* namespace|GPL-incompatible module)`)},
	{WarningsFatal, regexp.MustCompile(`\[-Werror[=,\]]`)},
}

// noise are lines that look like errors and are none, or that tell only that
// one was there before.
var noise = regexp.MustCompile(`^Skipping BTF generation|^# |^make(\[\d+\])?: (Entering|Leaving) directory|` +
	`In file included from|warning: the compiler differs|^ {2}(You are using|The kernel was built by):|` +
	`^make(\[\d+\])?: warning:|set -e; |: note: |^cc1\w*: (some|all) warnings being treated as errors|` +
	`: warning: .*(?:\[-W[^e][^\]]*\])?$|error trying to exec .as.|compilation terminated`)

var (
	position  = regexp.MustCompile(`^(.*?):(\d+)(?::\d+)?: (?:fatal )?error: (.*)$`)
	makeError = regexp.MustCompile(`^make(?:\[\d+\])?: \*\*\* (.*)$`)
	modpost   = regexp.MustCompile(`^ERROR: (modpost: .*)$`)
	anyError  = regexp.MustCompile(`(?i)\b(fatal )?error\b[: ]|\*\*\*|undefined reference|not found$|No such file|Killed|No space left`)
	makeTail  = regexp.MustCompile(`^\[.*\] Error \d+$|^\[.*\] Killed$|Waiting for unfinished jobs|^\[.*\] Segmentation`)
)

// Diagnose finds in the log of a make that failed the first error, and what
// kind of error it is. Paths below buildDir are given relative to it. Both
// results are empty when the log tells nothing.
func Diagnose(log, buildDir string) (first string, class Class) {
	var best, fallback, tail string
	for line := range strings.Lines(log) {
		line = tidy(line)
		if line == "" || noise.MatchString(line) && !strings.Contains(line, ": error: ") {
			continue
		}
		switch found := errorText(line, buildDir); {
		case found != "" && best == "":
			best, class = found, classify(line)
			if class == Unclear { // the line after may say more
				continue
			}
		case best == "" && makeError.MatchString(line):
			text := makeError.FindStringSubmatch(line)[1]
			if makeTail.MatchString(text) {
				tail = first1(tail, line)
			} else {
				fallback = first1(fallback, text)
			}
		case best == "" && anyError.MatchString(line):
			fallback = first1(fallback, relative(line, buildDir))
		}
		if c := classify(line); class == Unclear && (c == DiskFull || c == OutOfMemory) {
			class = c // whatever else went wrong, that is why
			best = first1(best, relative(line, buildDir))
		}
	}
	first = first1(best, first1(fallback, tail))
	if class == Unclear {
		class = classify(first)
	}
	return first, class
}

func first1(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// errorText returns the error that line is, with a short position, or nothing.
func errorText(line, buildDir string) string {
	if m := position.FindStringSubmatch(line); m != nil {
		return relative(m[1], buildDir) + ":" + m[2] + ": " + m[3]
	}
	if m := modpost.FindStringSubmatch(line); m != nil {
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
		if r.line.MatchString(line) {
			return r.class
		}
	}
	return Unclear
}

var escape = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]|\x1b\\]8;[^\x07\x1b]*(\x07|\x1b\\\\)")

// tidy removes colours, typographic quotes and control characters.
func tidy(line string) string {
	line = strings.TrimRight(escape.ReplaceAllString(line, ""), "\r\n\t ")
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
