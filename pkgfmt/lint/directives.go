package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// directives are those of dkms(8), the deprecated ones included.
var directives = strings.Fields(`AUTOINSTALL BUILD_DEPENDS BUILD_DEPENDS_REBUILD BUILD_EXCLUSIVE_ARCH BUILD_EXCLUSIVE_CONFIG
	BUILD_EXCLUSIVE_KERNEL BUILD_EXCLUSIVE_KERNEL_MAX BUILD_EXCLUSIVE_KERNEL_MIN BUILT_MODULE_LOCATION BUILT_MODULE_NAME CLEAN
	DEST_MODULE_LOCATION DEST_MODULE_NAME MAKE MAKE_MATCH MODPROBE_ON_INSTALL MODULES_CONF MODULES_CONF_ALIAS_TYPE
	MODULES_CONF_OBSOLETES MODULES_CONF_OBSOLETE_ONLY NO_WEAK_MODULES OBSOLETE_BY PACKAGE_NAME PACKAGE_VERSION PATCH PATCH_MATCH
	POST_ADD POST_BUILD POST_INSTALL POST_REMOVE PRE_BUILD PRE_INSTALL REMAKE_INITRD STRIP`)

// checkDirectives judges the directives' values.
func (l *linter) checkDirectives() {
	l.checkIdentity()
	l.checkSpelling()
	l.checkMatches()
	if len(l.where["AUTOINSTALL"]) == 0 {
		l.atConf("no-autoinstall", 0, "AUTOINSTALL is not set: nothing is built for new kernels by itself")
	}
}

// value is a directive's value for the first sample, "" when there is none.
func (l *linter) value(name string, index int) string {
	for _, a := range l.answers {
		if a.conf != nil {
			return a.conf.Values[name][index]
		}
	}
	return ""
}

// unfilled fits parts of what is filled in later, and placeholders whole words
// that people write for a version that is.
var (
	unfilled     = regexp.MustCompile(`__[A-Z_]+__|@[A-Za-z_.]+@|#[A-Za-z_]+#|%\{|\{\{|<[a-zA-Z_ -]+>`)
	placeholders = regexp.MustCompile(`(?i)^(version|unknown|tbd|todo|git|none|to[ _-]be[ _-]filled.*|package_?version|module_?version|dev|[^0-9]*version[^0-9]*|(\d+\.)?x+(\.x+)+|x\.y(\.z)?)$`)
)

// isPlaceholder reports whether a directive's value has to be filled by
// something else.
func isPlaceholder(directive, value string) bool {
	return unfilled.MatchString(value) || directive == "PACKAGE_VERSION" && placeholders.MatchString(value)
}

// checkSpelling looks for variables that nobody reads and that are nearly a
// directive.
func (l *linter) checkSpelling() {
	for name, places := range l.where {
		if slices.Contains(directives, name) || slices.Contains(presets, name) {
			continue
		}
		near := nearest(name)
		if near == "" || len(regexp.MustCompile(`\b`+name+`\b`).FindAllStringIndex(l.text, -1)) > len(places) {
			continue
		}
		l.atConf("unknown-directive", places[0].line, "%s is no directive; %s is one", name, near)
	}
}

// nearest returns the directive that a name was probably meant to be.
func nearest(name string) string {
	for _, d := range directives {
		far := 1 + len(d)/8
		if strings.EqualFold(d, name) && len(d) > 5 || len(d) > 5 && name == strings.ToUpper(name) && distance(d, name) <= far {
			return d
		}
	}
	return ""
}

// distance is how many letters must be inserted, removed or changed.
func distance(a, b string) int {
	if len(b) > 64 || len(a)-len(b) > 4 || len(b)-len(a) > 4 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// checkMatches looks for expressions that fit no kernel.
func (l *linter) checkMatches() {
	for _, name := range []string{"BUILD_EXCLUSIVE_KERNEL", "BUILD_EXCLUSIVE_ARCH", "MAKE_MATCH", "PATCH_MATCH"} {
		if !l.where.surely(name) || len(l.answers) == 0 || l.answers[0].conf == nil {
			continue
		}
		values := l.answers[0].conf.Values[name]
		for _, i := range values.Indexes() {
			if expr := values[i]; expr != "" && !unfilled.MatchString(expr) && neverMatches(name, expr) {
				l.atConf("never-matches", l.where.line(name, i), "%s=%q fits no kernel", subscripted(name, i), expr)
			}
		}
	}
	low, high := l.value("BUILD_EXCLUSIVE_KERNEL_MIN", 0), l.value("BUILD_EXCLUSIVE_KERNEL_MAX", 0)
	if low != "" && high != "" && !unfilled.MatchString(low+high) && dkms.CompareVersions(low, high) > 0 && l.where.surely("BUILD_EXCLUSIVE_KERNEL_MIN") && l.where.surely("BUILD_EXCLUSIVE_KERNEL_MAX") {
		l.atConf("never-matches", l.where.line("BUILD_EXCLUSIVE_KERNEL_MAX", 0), "BUILD_EXCLUSIVE_KERNEL_MAX=%q is older than _MIN=%q: there is no kernel between", high, low)
	}
}

func subscripted(name string, i int) string {
	if i == 0 {
		return name
	}
	return fmt.Sprintf("%s[%d]", name, i)
}
