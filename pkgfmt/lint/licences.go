package lint

import (
	"path/filepath"
	"regexp"
	"strings"
)

// licenceFile fits the names of files with a licence.
var licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]es?|copying|copyright|gpl)([-._].*)?$|\.licen[cs]e$`)

// macro fits a use of MODULE_LICENSE, or of a macro that will be one.
var macro = regexp.MustCompile(`\bMODULE_LICENSE\s*\(|\bMODULE_INFO\s*\(\s*license\b|\bmodule!\s*\{`)

// checkLicences looks for what tells the licence.
func (l *linter) checkLicences() {
	sources, files, tags, macros, prebuilt := 0, 0, 0, 0, 0
	for _, e := range l.tree.entries {
		base := filepath.Base(e.path)
		dir := filepath.Dir(e.path)
		if licenceFile.MatchString(base) || strings.EqualFold(filepath.Base(dir), "LICENSES") {
			files++
			continue
		}
		if !e.mode.IsRegular() {
			continue
		}
		switch filepath.Ext(base) {
		case ".c", ".rs":
			sources++
		case ".o_shipped", ".o_binary":
			prebuilt++
		case ".h", ".inc", ".S":
		default:
			continue
		}
		text := l.tree.text(e.path)
		if strings.Contains(text, "SPDX-License-Identifier") {
			tags++
		}
		if macro.MatchString(text) {
			macros++
		}
	}
	if len(l.tree.broken) > 0 {
		return // it may be there
	}
	if files+tags+macros == 0 && !l.licensed {
		l.add("no-licence", ".", 0, "nothing tells the licence: there is no LICENSE or COPYING, no SPDX tag, no MODULE_LICENSE")
	}
	if sources > 0 && macros == 0 && prebuilt == 0 {
		l.add("no-module-license", ".", 0, "none of %d source files has MODULE_LICENSE", sources)
	}
}
