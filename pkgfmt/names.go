package pkgfmt

import (
	"fmt"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// maxName is the longest name or version that is taken, in bytes: with the
// rest of a file's name both stay below the 255 bytes of a directory entry.
const maxName = 128

// DebName maps a name to what Debian allows (policy, section 5.6.1): lower
// case letters, digits, `+`, `-` and `.`, a letter or a digit first. Upper case
// becomes lower, `_` becomes `-`, and separators at either end are dropped:
// v4l2_Loopback is v4l2-loopback. So two names may become one (a_b, a-b, A-B).
//
// A single character is returned too, which is a name with a suffix only, such
// as -dkms. Anything else is refused, by an error of Kind Usage: a space, a
// slash, a letter with an accent, or a name with nothing left of it.
func DebName(name string) (string, error) {
	mapped := strings.Trim(strings.ReplaceAll(strings.ToLower(name), "_", "-"), "+-.")
	return checkName(name, mapped, "+-.")
}

// RPMName maps a name to what RPM allows: ASCII letters of either case, digits,
// `_`, `+`, `-` and `.`, a letter, a digit or `_` first, and no two dots in a
// row, which rpmbuild refuses. Nothing is replaced, only separators at either
// end are dropped. The errors are as those of DebName.
func RPMName(name string) (string, error) {
	mapped := strings.TrimLeft(strings.TrimRight(name, "+-._"), "+-.")
	if strings.Contains(mapped, "..") {
		return "", wrongName(name, "has two dots in a row, which RPM refuses")
	}
	return checkName(name, mapped, "+-._")
}

// checkName returns what a name was mapped to, if only letters, digits and the
// separators are in it.
func checkName(name, mapped, separators string) (string, error) {
	if len(name) > maxName {
		return "", wrongName(name[:maxName/4]+"…", fmt.Sprintf("is longer than %d bytes", maxName))
	}
	for _, r := range mapped {
		if !asciiLetter(r) && !asciiDigit(r) && !strings.ContainsRune(separators, r) {
			return "", wrongName(name, fmt.Sprintf("has %q in it, which no package's name may have", r))
		}
	}
	if mapped == "" {
		return "", wrongName(name, "has neither a letter nor a digit that a package's name could have")
	}
	return mapped, nil
}

func wrongName(name, problem string) error {
	return &dkms.Error{Kind: dkms.Usage, Object: fmt.Sprintf("name %q", name), Problem: problem,
		Hint: "give the package another name: name: in dkms-mkpkg.yaml, or -m"}
}

// String returns the version as the format's tools print it: EPOCH:UPSTREAM-REVISION,
// without what is not there.
func (v Version) String() string {
	s := v.Upstream
	if v.Epoch > 0 {
		s = fmt.Sprintf("%d:%s", v.Epoch, s)
	}
	if v.Revision != "" {
		s += "-" + v.Revision
	}
	return s
}

func asciiLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

func asciiDigit(r rune) bool { return '0' <= r && r <= '9' }
