package pkgfmt

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// before are the words for what comes before a release. Words that some use
// for what comes after one, such as git, p, patch and snapshot, are not here.
var before = []string{"alpha", "beta", "dev", "pre", "prerelease", "preview", "rc"}

// MapVersion maps a source's version to one that the format allows, so that
// any two versions have the same order in .deb and .rpm: dpkg and rpm agree on
// everything that is returned here, which they do not in general (dpkg has
// 1.0.a after 1.0.1, rpm before; for rpm 1+0 equals 1.0; for dpkg 1a equals 1a0).
//
//   - Numbers are separated by a dot: `-`, `_`, `+` and `^` before a number become one.
//   - The first word, a run of letters, gets a `+` before it; later ones follow
//     what is before them directly, and so do numbers after a word: 1.0a is
//     1.0+a, 9.013-NAPI is 9.013+NAPI, 1.0-23-g12ab is 1.0.23+g12ab.
//   - Before alpha, beta, dev, pre, prerelease, preview and rc comes a `~`, which sorts
//     before everything, and they are in lower case: 1.0-RC.1, 1.0rc1 and
//     1.0_rc1 are 1.0~rc1.
//   - A `~` stays. Where a number follows it, RPM gets one more, because dpkg
//     sorts 1.0~1 before 1.0~a, and rpm after it.
//   - A 0 that ends a word's number is dropped (rc0 is rc).
//   - A v before a number at the beginning is dropped. A version that begins
//     with a word has `0+` before it.
//   - EPOCH: in front becomes the epoch.
//
// The Revision is left empty. Versions that differ in separators or in the
// case of rc only may become one: 1.0-1 and 1.0.1, 1.0rc1 and 1.0-RC1.
// Refused, by an error of Kind Usage, are other characters, a colon elsewhere,
// a `~` at either end, and what has no digit or is longer than 128 bytes.
func MapVersion(f Format, version string) (Version, error) {
	v, rest, err := splitEpoch(version)
	if err != nil {
		return Version{}, err
	}
	if problem := unfit(rest); problem != "" {
		return Version{}, wrongVersion(version, problem)
	}
	if strings.HasPrefix(strings.ToLower(rest), "v") && asciiDigit(rune(rest[1])) {
		rest = rest[1:]
	}
	v.Upstream = joinVersion(f, markBefore(joinWords(splitVersion(rest))))
	return v, nil
}

// splitEpoch takes EPOCH: off a version. dpkg allows less than RPM, 31 bits.
func splitEpoch(version string) (Version, string, error) {
	epoch, rest, found := strings.Cut(version, ":")
	if !found {
		return Version{}, version, nil
	}
	n, err := strconv.ParseUint(epoch, 10, 64)
	if err != nil || n > math.MaxInt32 || strings.Contains(rest, ":") {
		return Version{}, "", wrongVersion(version, "has a colon, and what is before it is no epoch, a number up to 2147483647")
	}
	return Version{Epoch: int(n)}, rest, nil
}

// unfit says why a version cannot be mapped, or nothing.
func unfit(s string) string {
	if s == "" {
		return "is empty"
	}
	if len(s) > maxName {
		return fmt.Sprintf("is longer than %d bytes", maxName)
	}
	for _, r := range s {
		if !asciiLetter(r) && !asciiDigit(r) && !strings.ContainsRune(".+-_~^", r) {
			return fmt.Sprintf("has %q in it, which no package's version may have", r)
		}
	}
	if !strings.ContainsAny(s, "0123456789") {
		return "has no number in it"
	}
	if bare := strings.Trim(s, ".+-_^"); bare[0] == '~' || bare[len(bare)-1] == '~' {
		return "begins or ends with ~, so nothing is there that could come before or after something"
	}
	return ""
}

func wrongVersion(version, problem string) error {
	if len(version) > maxName {
		version = version[:maxName/4] + "…"
	}
	return &dkms.Error{Kind: dkms.Usage, Object: fmt.Sprintf("version %q", version), Problem: problem,
		Hint: "give the package another version: version: in dkms-mkpkg.yaml, or -v"}
}

// A part is a number or a word of a version, with the tildes before it.
type part struct {
	tildes int
	text   string
}

func (p part) number() bool { return asciiDigit(rune(p.text[0])) }

func (p part) before() bool { return slices.Contains(before, strings.ToLower(p.text)) }

// splitVersion cuts a version that is fit into numbers and words; one that
// begins with a word gets a 0 before it.
func splitVersion(s string) []part {
	var parts []part
	tildes := 0
	class := func(r byte) int {
		switch {
		case asciiDigit(rune(r)):
			return 1
		case asciiLetter(rune(r)):
			return 2
		}
		return 0
	}
	for i := 0; i < len(s); {
		j := i + 1
		for j < len(s) && class(s[j]) == class(s[i]) {
			j++
		}
		if class(s[i]) == 0 {
			tildes = strings.Count(s[i:j], "~")
		} else {
			if parts == nil && class(s[i]) == 2 {
				parts = append(parts, part{text: "0"})
			}
			parts = append(parts, part{tildes, s[i:j]})
			tildes = 0
		}
		i = j
	}
	return parts
}

// joinWords makes one word of two in a row: whatever stands between them, dpkg
// and rpm differ about it.
func joinWords(parts []part) []part {
	var out []part
	for _, p := range parts {
		last := len(out) - 1
		if last >= 0 && !p.number() && !out[last].number() && p.tildes == 0 && !p.before() {
			out[last].text += p.text
			continue
		}
		out = append(out, p)
	}
	return out
}

// markBefore gives words such as rc their tilde, and drops the 0 that ends a
// word's number.
func markBefore(parts []part) []part {
	var out []part
	for i, p := range parts {
		if p.before() {
			p = part{max(1, p.tildes), strings.ToLower(p.text)}
		}
		ends := i+1 == len(parts) || parts[i+1].tildes > 0 || parts[i+1].before()
		if i > 0 && p.number() && p.tildes == 0 && !parts[i-1].number() && ends && strings.Trim(p.text, "0") == "" {
			continue
		}
		out = append(out, p)
	}
	return out
}

// joinVersion writes the parts with what stands between them.
func joinVersion(f Format, parts []part) string {
	var b strings.Builder
	words := false
	for i, p := range parts {
		switch {
		case i == 0:
		case p.tildes > 0:
			n := p.tildes
			if f != Deb && p.number() {
				n++
			}
			b.WriteString(strings.Repeat("~", n))
		case p.number() && parts[i-1].number():
			b.WriteByte('.')
		case !p.number() && !words:
			b.WriteByte('+')
		}
		b.WriteString(p.text)
		words = words || !p.number() && !p.before()
	}
	return b.String()
}
