package lint

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/read"
)

// isPackage reports whether a file begins as a .deb or an .rpm does, or is
// called so.
func isPackage(path string) bool {
	if ext := filepath.Ext(path); ext == ".deb" || ext == ".rpm" {
		return true
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var head [8]byte
	n, _ := io.ReadFull(f, head[:])
	return string(head[:n]) == "!<arch>\n" || strings.HasPrefix(string(head[:n]), "\xed\xab\xee\xdb")
}

// A packageLinter judges a distribution package: the findings of the package
// itself are in own, those of each source tree in a linter of its own.
type packageLinter struct {
	*linter
	pkg     *read.Package
	scratch string
	sources map[string]*linter // by the directory below /usr/src
	budget  int64              // bytes that may yet be unpacked
	modules int
	kernel  bool // it is a kernel's own package
}

// The limits of what is unpacked.
const (
	unpackLimit = 512 << 20 // bytes of all sources of a package
	moduleLimit = 256 << 20 // bytes of one module
)

var (
	sourceConf  = regexp.MustCompile(`^/usr/src/([^/]+)/dkms\.conf$`)
	inModules   = regexp.MustCompile(`^(?:/usr)?/lib/modules/([^/]+)/(.*)$`)
	moduleName  = regexp.MustCompile(`\.ko(\.gz|\.xz|\.zst)?$`)
	debugDir    = regexp.MustCompile(`^/usr/lib/debug/`)
	documents   = regexp.MustCompile(`^/usr/share/(doc|licenses|lintian)(/|$)`)
	ofKernel    = regexp.MustCompile(`^(/usr)?/lib/modules/[^/]+/modules\.(builtin|order)$|^/boot/vmlinu[xz]-`)
	engineNames = regexp.MustCompile(`^(dkms|dkms-hook|dh-dkms)$`)
)

// distributionPackage judges a .deb or an .rpm.
func distributionPackage(ctx context.Context, path string, b bounds) (findings []Finding, err error) {
	pkg, err := read.Open(path)
	if err != nil {
		return nil, err
	}
	if pkg.Format == pkgfmt.SourceRPM || pkg.IsSource {
		return nil, &dkms.Error{Kind: dkms.Usage, Object: path, Problem: "is a source package, which nobody installs",
			Hint: "lint the directory that it was made of, or a package that is made of it"}
	}
	scratch, err := os.MkdirTemp("", "dkms-mkpkg-lint-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	p := &packageLinter{
		linter: &linter{tree: &tree{shown: path, join: "!"}, bounds: b}, pkg: pkg, scratch: scratch,
		sources: map[string]*linter{}, budget: unpackLimit,
	}
	p.list()
	if err := pkg.Walk(func(f read.File, body io.Reader) error { return cmp.Or(ctx.Err(), p.file(f, body)) }); err != nil {
		return nil, err
	}
	if err := p.judgeSources(ctx); err != nil {
		return nil, err
	}
	p.judgePackage()
	return p.all(), nil
}

// list finds the source trees, and lists their files.
func (p *packageLinter) list() {
	brought := map[string]bool{}
	licensed := p.pkg.License != ""
	for _, f := range p.pkg.Files {
		brought[f.Path] = true
		licensed = licensed || f.Licence || licenceFile.MatchString(filepath.Base(f.Path))
		if m := sourceConf.FindStringSubmatch(f.Path); m != nil && !f.Ghost {
			dir := m[1]
			t := &tree{dir: filepath.Join(p.scratch, "src", dir), shown: p.tree.shown, join: "!/usr/src/" + dir + "/"}
			t.beside = func(path string) bool { return brought[filepath.Join("/usr/src", dir, path)] }
			p.sources[dir] = &linter{tree: t, whole: true, confPath: confName, bounds: p.bounds}
		}
		p.kernel = p.kernel || ofKernel.MatchString(f.Path)
	}
	for _, f := range p.pkg.Files {
		if l, rel := p.sourceOf(f.Path); l != nil && !f.Ghost {
			l.tree.entries = append(l.tree.entries, entry{path: rel, mode: f.Mode, size: f.Size, target: f.Target})
		}
	}
	for _, l := range p.sources {
		l.licensed = licensed
		l.tree.index()
	}
}

// sourceOf returns the tree that a path of the package belongs to, and the path
// within.
func (p *packageLinter) sourceOf(path string) (*linter, string) {
	rest, ok := strings.CutPrefix(path, "/usr/src/")
	dir, rel, below := strings.Cut(rest, "/")
	if !ok || !below || !filepath.IsLocal(rel) {
		return nil, ""
	}
	return p.sources[dir], rel
}

// file judges one file of the package, and unpacks it where that is needed.
func (p *packageLinter) file(f read.File, body io.Reader) error {
	p.checkOwner(f)
	l, rel := p.sourceOf(f.Path)
	if l == nil {
		p.checkMode(f)
	}
	if !f.Regular() {
		if l != nil && f.Link != "" {
			return p.unpackLink(l, rel, f.Link)
		}
		return nil
	}
	head := make([]byte, 20)
	n, err := io.ReadFull(body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	head = head[:n]
	p.checkBinary(f, l != nil, head)
	whole := io.MultiReader(strings.NewReader(string(head)), body)
	switch {
	case l != nil:
		return p.unpack(filepath.Join(l.tree.dir, rel), whole, textLimit*4)
	case moduleName.MatchString(f.Path) && !debugDir.MatchString(f.Path):
		return p.module(f, whole)
	}
	return nil
}

// unpack writes the beginning of a file of a source tree, with no mode that
// matters and over nothing that is there.
func (p *packageLinter) unpack(path string, body io.Reader, limit int64) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return p.unpackable(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return p.unpackable(err)
	}
	n, err := io.Copy(f, io.LimitReader(body, min(limit, p.budget)))
	p.budget -= n
	return errors.Join(err, f.Close())
}

// unpackLink gives a file that was unpacked another name.
func (p *packageLinter) unpackLink(l *linter, rel, target string) error {
	other, from := p.sourceOf(target)
	if other == nil {
		return nil
	}
	path := filepath.Join(l.tree.dir, rel)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return p.unpackable(err)
	}
	if err := os.Link(filepath.Join(other.tree.dir, from), path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return p.unpackable(err)
	}
	return nil
}

// unpackable is the error for names of which one is below another that is a
// file, and the like.
func (p *packageLinter) unpackable(err error) error {
	return &dkms.Error{Kind: dkms.ArchiveInvalid, Object: p.tree.shown, Problem: "cannot be unpacked: " + printable(reason(err))}
}

func (p *packageLinter) checkOwner(f read.File) {
	if (f.Owner != "" && f.Owner != "root" && f.Owner != "0") || (f.Group != "" && f.Group != "root" && f.Group != "0") {
		p.add("owner", f.Path, 0, "belongs to %s:%s", f.Owner, f.Group)
	}
}

// checkMode judges what is outside of source trees.
func (p *packageLinter) checkMode(f read.File) {
	if f.Mode.IsRegular() && f.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
		p.add("setuid", f.Path, 0, "is set-user-ID or set-group-ID (mode %04o)", unixMode(f.Mode))
	}
	if f.Mode&0o002 != 0 && (f.Mode.IsRegular() || f.Mode.IsDir() && f.Mode&fs.ModeSticky == 0) {
		p.add("world-writable", f.Path, 0, "everybody may write it (mode %04o)", unixMode(f.Mode))
	}
}

// checkBinary judges what is machine code.
func (p *packageLinter) checkBinary(f read.File, source bool, head []byte) {
	if !strings.HasPrefix(string(head), "\x7fELF") {
		return
	}
	module := moduleName.MatchString(f.Path)
	switch {
	case module && source:
		p.add("prebuilt-module", f.Path, 0, "is a compiled module among sources")
	case p.pkg.Arch == "all" || p.pkg.Arch == "noarch":
		p.add("binary-in-noarch", f.Path, 0, "is machine code in a package for architecture %s", p.pkg.Arch)
	}
}

// judgeSources judges the source trees.
func (p *packageLinter) judgeSources(ctx context.Context) error {
	for _, dir := range p.dirs() {
		l := p.sources[dir]
		if err := l.judge(ctx); err != nil {
			return err
		}
		name, version := l.value("PACKAGE_NAME", 0), l.value("PACKAGE_VERSION", 0)
		if len(l.answers) > 0 && name+"-"+version != dir {
			l.atConf("directory-differs", cmp.Or(l.where.line("PACKAGE_VERSION", 0), l.where.line("PACKAGE_NAME", 0)),
				"is in /usr/src/%s, and says that it is %s-%s", dir, name, version)
		}
	}
	return nil
}

func (p *packageLinter) dirs() []string {
	var dirs []string
	for dir := range p.sources {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	return dirs
}

// all are the findings of the package and of its sources. What a dkms.conf has
// ignored everywhere is ignored in the package, too.
func (p *packageLinter) all() []Finding {
	findings := p.finish()
	for _, dir := range p.dirs() {
		l := p.sources[dir]
		ignored := l.suppressions().whole
		findings = slices.DeleteFunc(findings, func(f Finding) bool { return ignored[f.Rule] })
		findings = append(findings, l.finish()...)
	}
	return inOrder(findings)
}

// module judges a compiled module.
func (p *packageLinter) module(f read.File, body io.Reader) (err error) {
	p.modules++
	at := inModules.FindStringSubmatch(f.Path)
	switch {
	case at == nil:
		p.add("module-elsewhere", f.Path, 0, "is not below /lib/modules/RELEASE")
	case strings.HasPrefix(at[2], "kernel/") && !p.kernel:
		p.add("module-in-kernel-dir", f.Path, 0, "is below kernel/, where the kernel's own modules lie")
	}
	if f.Size > moduleLimit {
		p.add("bad-module", f.Path, 0, "is larger than any module: %d bytes", f.Size)
		return nil
	}
	path := filepath.Join(p.scratch, "module")
	budget := p.budget
	p.budget = moduleLimit
	err = p.unpack(path, body, moduleLimit)
	p.budget = budget
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(path)) }()
	release := ""
	if at != nil {
		release = at[1]
	}
	p.judgeModule(f.Path, path, release)
	return nil
}

// judgeModule judges the unpacked content of a module that is meant for a
// release; "" for none.
func (p *packageLinter) judgeModule(name, path, release string) {
	data, err := ko.Content(path)
	if err != nil {
		p.add("bad-module", name, 0, "%s", strings.TrimPrefix(err.Error(), path+": "))
		return
	}
	m, err := ko.Parse(data)
	if err != nil {
		p.add("bad-module", name, 0, "%v", err)
		return
	}
	switch built := m.Release(); {
	case built == "":
		p.add("bad-module", name, 0, "has no vermagic")
	case release != "" && built != release:
		p.add("vermagic-differs", name, 0, "was built for %s, and is in the directory of %s", built, release)
	}
	if !m.Signed {
		p.add("unsigned-module", name, 0, "is not signed")
	}
	if hasDebug(data) {
		p.add("unstripped-module", name, 0, "has debugging information")
	}
}
