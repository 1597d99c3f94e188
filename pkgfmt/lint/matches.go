package lint

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"github.com/dkms-hook/dkms-hook/conf"
)

// machines are what `uname -m` says on the architectures of Linux.
var machines = strings.Fields(`alpha aarch64 aarch64_be arc armv5tel armv5tejl armv6l armv7l armv7hl armv8l csky hexagon i386 i486 i586 i686
	ia64 loongarch32 loongarch64 m68k microblaze mips mips64 mipsel mips64el nios2 openrisc parisc parisc64 ppc ppc64 ppc64le
	riscv32 riscv64 s390 s390x sh4 sparc sparc64 x86_64 xtensa`)

// releases are names of kernels as distributions give them, of all versions.
var releases = sync.OnceValue(func() []string {
	var out []string
	suffixes := []string{"", "-0-amd64", "-21-generic", "-200.fc40.x86_64", "-503.el9.x86_64", "-1-default", "-arch1-1", "-150600.23.25-default", "+deb13-cloud-arm64", "-rc1", "-v8+", "-pve", "-zen1-1-zen", "-azure", "-rt", "-aws", "-xanmod1", "-gentoo"}
	add := func(major, minors int) {
		for minor := range minors {
			for _, patch := range []string{"", ".0", ".1", ".12", ".123"} {
				for _, suffix := range suffixes {
					out = append(out, fmt.Sprintf("%d.%d%s%s", major, minor, patch, suffix))
				}
			}
		}
	}
	for patch := 16; patch < 40; patch++ {
		for _, suffix := range suffixes {
			out = append(out, fmt.Sprintf("2.6.%d%s", patch, suffix))
		}
	}
	add(3, 20)
	add(4, 21)
	add(5, 20)
	add(6, 20)
	add(7, 20)
	add(8, 20)
	return out
})

// neverMatches reports whether no kernel can have what a directive's expression
// asks for.
func neverMatches(directive, expr string) bool {
	re, err := conf.Expression(expr)
	if err != nil {
		return false // conf tells
	}
	if directive == "BUILD_EXCLUSIVE_ARCH" {
		return !slices.ContainsFunc(machines, re.MatchString)
	}
	if slices.ContainsFunc(releases(), re.MatchString) {
		return false
	}
	// It may be made for one release. It is, if something that it matches
	// could be a part of one.
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return false
	}
	e := examples{left: 2000}
	return !slices.ContainsFunc(e.of(tree.Simplify()), partOfRelease)
}

// partOfRelease reports whether a release can hold s, in which \x02 is its
// beginning and \x03 its end.
func partOfRelease(s string) bool {
	rest, atStart := strings.CutPrefix(s, "\x02")
	rest, atEnd := strings.CutSuffix(rest, "\x03")
	if atStart && (rest == "" && atEnd || rest != "" && (rest[0] < '0' || rest[0] > '9')) {
		return false
	}
	return strings.Trim(rest, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+_~-@%") == ""
}

// examples makes up strings that an expression matches.
type examples struct{ left int }

// width bounds how many examples a part has.
const width = 40

func (e *examples) of(re *syntax.Regexp) []string {
	if e.left--; e.left < 0 {
		return []string{"a"}
	}
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCharClass:
		return classExamples(re.Rune)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{"0", "a"}
	case syntax.OpBeginLine, syntax.OpBeginText:
		return []string{"\x02"}
	case syntax.OpEndLine, syntax.OpEndText:
		return []string{"\x03"}
	case syntax.OpNoMatch:
		return nil
	case syntax.OpCapture, syntax.OpPlus:
		return e.of(re.Sub[0])
	case syntax.OpStar, syntax.OpQuest:
		return append([]string{""}, e.of(re.Sub[0])...)
	case syntax.OpRepeat:
		out := []string{""}
		for range min(re.Min, 20) {
			out = joined(out, e.of(re.Sub[0]))
		}
		return out
	case syntax.OpConcat:
		out := []string{""}
		for _, sub := range re.Sub {
			out = joined(out, e.of(sub))
		}
		return out
	case syntax.OpAlternate:
		var out []string
		for _, sub := range re.Sub {
			out = append(out, e.of(sub)...)
		}
		return out
	}
	return []string{""}
}

// classExamples has a digit, a letter and a sign of a class, those that it has.
func classExamples(ranges []rune) (out []string) {
	for _, set := range []string{"0123456789", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "-._+~@%"} {
		for _, c := range set {
			if inRanges(ranges, c) {
				out = append(out, string(c))
				break
			}
		}
	}
	return out
}

func inRanges(ranges []rune, c rune) bool {
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i] <= c && c <= ranges[i+1] {
			return true
		}
	}
	return false
}

// joined has each of a before each of b, up to width.
func joined(a, b []string) (out []string) {
	for _, x := range a {
		for _, y := range b {
			if len(out) == width || len(x)+len(y) > 200 {
				return out
			}
			out = append(out, x+y)
		}
	}
	return out
}
