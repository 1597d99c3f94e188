package lint

import (
	"cmp"
	"errors"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// checkIdentity judges the name and version.
func (l *linter) checkIdentity() {
	name, version := l.value("PACKAGE_NAME", 0), l.value("PACKAGE_VERSION", 0)
	if !l.checkPlaceholder("PACKAGE_NAME", name) && dkms.CheckWord("name", name) == nil {
		_, deb := pkgfmt.DebName(name)
		_, rpm := pkgfmt.RPMName(name)
		l.unfit("bad-name", "PACKAGE_NAME", name, deb, rpm)
	}
	if !l.checkPlaceholder("PACKAGE_VERSION", version) && dkms.CheckWord("version", version) == nil {
		_, deb := pkgfmt.MapVersion(pkgfmt.Deb, version)
		_, rpm := pkgfmt.MapVersion(pkgfmt.RPM, version)
		l.unfit("bad-version", "PACKAGE_VERSION", version, deb, rpm)
	}
}

// checkPlaceholder reports whether a value is one.
func (l *linter) checkPlaceholder(directive, value string) bool {
	if !isPlaceholder(directive, value) {
		return false
	}
	l.atConf("placeholder", l.where.line(directive, 0), "%s=%q has to be filled by something else", directive, value)
	return true
}

// unfit adds what keeps a value from becoming that of a package. What is no
// value at all conf has told.
func (l *linter) unfit(rule, directive, value string, deb, rpm error) {
	err := cmp.Or(deb, rpm)
	if err == nil {
		return
	}
	format := "a .deb or an .rpm"
	switch {
	case rpm == nil:
		format = "a .deb"
	case deb == nil:
		format = "an .rpm"
	}
	why := err.Error()
	var e *dkms.Error
	if errors.As(err, &e) {
		why = e.Problem
	}
	l.atConf(rule, l.where.line(directive, 0), "%s=%q cannot be that of %s: %s", directive, clipped(value), format, why)
}
