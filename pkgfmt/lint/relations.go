package lint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

var (
	onDKMS    = regexp.MustCompile(`(^|[\s(|,/])dkms(-hook)?($|[\s)|,(:])`)
	onHeaders = regexp.MustCompile(`^\(?(linux-headers|kernel-devel|kernel-headers|kernel-source|linux-source|kernel-default-devel)\b`)

	speaks  = regexp.MustCompile(`(?i)dkms`)
	adds    = regexp.MustCompile(`\b(add|build|install|autoinstall|ldtarball|register)\b|common\.postinst|dkms_autoinstaller|\bdkms-hook\b`)
	removes = regexp.MustCompile(`\b(remove|uninstall|unbuild|retire)\b|\bdkms-hook\b`)
	indexes = regexp.MustCompile(`\bdepmod\b|\bweak-modules2?\b|kernel-scriptlets|\bkmp-post|\bdkms(-hook)?\b`)
)

// judgePackage judges relations and scripts.
func (p *packageLinter) judgePackage() {
	switch {
	case len(p.sources) > 0:
		p.judgeSourcePackage()
	case p.modules > 0:
		if !p.kernel && !p.script(indexes, indexes) {
			p.add("no-depmod", "", 0, "no script runs depmod or weak-modules")
		}
	default:
		p.withoutModules()
	}
	if p.pkg.Format == pkgfmt.RPM {
		p.judgeScriptlets()
	}
}

// withoutModules judges a package with neither sources in their place nor
// modules.
func (p *packageLinter) withoutModules() {
	if p.kernel || engineNames.MatchString(p.pkg.Name) {
		return
	}
	meta := true // it depends on others, or holds what debuggers read
	for _, f := range p.pkg.Files {
		meta = meta && (!f.Regular() || documents.MatchString(f.Path) || debugDir.MatchString(f.Path))
		if strings.HasSuffix(f.Path, "/"+confName) && !strings.HasPrefix(f.Path, "/usr/share/doc") {
			p.add("source-elsewhere", f.Path, 0, "is not in /usr/src/NAME-VERSION")
			return
		}
	}
	if meta {
		return
	}
	p.add("no-modules", "", 0, "there is neither /usr/src/NAME-VERSION/dkms.conf nor a module in the package")
}

func (p *packageLinter) judgeSourcePackage() {
	depends := false
	for _, r := range p.pkg.Relations {
		if !slices.Contains([]string{"Depends", "Pre-Depends", "Requires"}, r.Kind) {
			continue
		}
		depends = depends || onDKMS.MatchString(r.Text)
		if onHeaders.MatchString(r.Text) {
			p.add("headers-dependency", "", 0, "%s: %s", r.Kind, r.Text)
		}
	}
	if !depends {
		p.add("no-dkms-dependency", "", 0, "it does not depend on dkms")
	}
	if !p.script(speaks, adds) {
		p.add("never-built", "", 0, "no script adds or builds its modules")
	}
	if !p.script(speaks, removes) {
		p.add("never-removed", "", 0, "no script removes its modules")
	}
}

// script reports whether a script or trigger of the package has what both a and b
// find.
func (p *packageLinter) script(a, b *regexp.Regexp) bool {
	texts := []string{}
	for _, s := range p.pkg.Scripts {
		texts = append(texts, s.Program+"\n"+s.Text)
	}
	for _, t := range p.pkg.Triggers {
		texts = append(texts, t.Program+"\n"+t.Text)
	}
	return slices.ContainsFunc(texts, func(s string) bool { return a.MatchString(s) && b.MatchString(s) })
}
