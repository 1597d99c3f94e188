package probe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// definition returns how the makefiles of the kernel whose headers are in dir
// define try-run, in one line. It is an error when they do not, or in a way
// that is not known: $(1) is run, and its exit status chooses $(2) or $(3).
func definition(dir string) (string, error) {
	for _, tree := range sources(dir) {
		for _, name := range []string{"scripts/Makefile.compiler", "scripts/Kbuild.include"} {
			text, err := os.ReadFile(filepath.Join(tree, name))
			if err != nil {
				continue
			}
			value, ok := assigned(string(text), "try-run")
			if !ok {
				continue
			}
			if !knownTryRun().MatchString(value) {
				return "", fmt.Errorf("%s: defines try-run in another way", filepath.Join(tree, name))
			}
			return value, nil
		}
	}
	return "", errors.New(dir + ": no makefile defines try-run")
}

// knownTryRun is what Linux has had for try-run since 2.6.
var knownTryRun = lazily(`^\$\(shell set -e; ` +
	`(TMP="?\$\(TMPOUT\)[\w./$]*"?; |TMPO="?\$\(TMPOUT\)[\w./$]*"?; |mkdir -p \$\(TMPOUT\); |trap "rm -rf \$\(TMPOUT\)" EXIT; )+` +
	`if \(\$\(1\)\) >/dev/null 2>&1; then echo "\$\(2\)"; else echo "\$\(3\)"; fi(; rm -f "\$\$TMP" "\$\$TMPO")?\)$`)

// includesTree is the only line of a header directory's Makefile when the
// makefiles lie elsewhere.
var includesTree = lazily(`(?m)^include (/\S+)/Makefile$`)

// sources are the directories where the makefiles of a header directory may be.
func sources(dir string) []string {
	out := []string{dir}
	if text, err := os.ReadFile(filepath.Join(dir, "Makefile")); err == nil {
		if m := includesTree().FindSubmatch(text); m != nil {
			out = append(out, string(m[1]))
		}
	}
	return append(out, filepath.Join(dir, "source"))
}

// assigned returns the value of a recursively expanded variable in a makefile,
// its lines joined as make joins them.
func assigned(makefile, name string) (string, bool) {
	lines := strings.Split(makefile, "\n")
	for i, line := range lines {
		rest, ok := strings.CutPrefix(line, name)
		if !ok {
			continue
		}
		if rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " \t"), "="); !ok {
			continue
		}
		var parts []string
		for {
			part, more := strings.CutSuffix(rest, `\`)
			parts = append(parts, strings.TrimSpace(part))
			if i++; !more || i == len(lines) {
				break
			}
			rest = lines[i]
		}
		return strings.TrimSpace(strings.Join(parts, " ")), true
	}
	return "", false
}
