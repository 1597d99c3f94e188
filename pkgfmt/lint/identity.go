package lint

// checkIdentity judges the name and version.
func (l *linter) checkIdentity() {
	for _, name := range []string{"PACKAGE_NAME", "PACKAGE_VERSION"} {
		if v := l.value(name, 0); isPlaceholder(name, v) {
			l.atConf("placeholder", l.where.line(name, 0), "%s=%q has to be filled by something else", name, v)
		}
	}
}
