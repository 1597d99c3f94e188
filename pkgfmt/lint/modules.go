package lint

func (l *linter) checkModules() {}
