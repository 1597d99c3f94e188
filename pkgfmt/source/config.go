package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// ConfigName is the file that says of a package what a dkms.conf cannot.
const ConfigName = "dkms-mkpkg.yaml"

// releasePattern is what both formats allow as revision and release.
const (
	releasePattern = `^[A-Za-z0-9][A-Za-z0-9.+~]*$`
	releaseForm    = "letters, digits, dots, + and ~, such as 1"
)

// personForm is how people are named.
const personForm = "NAME <ADDRESS>, such as Jo Doe <jo@example.org>"

// maxConfig is how long it may be, in bytes.
const maxConfig = 1 << 20

// A config is what dkms-mkpkg.yaml says.
type config struct {
	facts
	name, release string
	epoch         int
	relations     map[pkgfmt.Format]*pkgfmt.Relations
	files         []placed
	modprobe      []string
	udev          []string
	modulesLoad   []string
	firmware      []placed
	dracut        []string
	initramfs     []string
	scripts       map[pkgfmt.Format]map[string]*string
	ignore        []string
	changes       []change
	kmod          Kmod

	file string // as it was named; empty: there is none
}

// A placed is a file of the source with a path on the machine.
type placed struct {
	source, path, mode, format string
	config                     bool
	line                       int
}

// A change is an entry of the changelog.
type change struct {
	version, date, author string
	lines                 []string
	line                  int
}

// debScripts and rpmScripts are the names that scripts may have.
var (
	debScripts = []string{"preinst", "postinst", "prerm", "postrm"}
	rpmScripts = []string{"pretrans", "pre", "post", "preun", "postun", "posttrans"}
)

func newConfig() *config {
	return &config{
		relations: map[pkgfmt.Format]*pkgfmt.Relations{pkgfmt.Deb: {}, pkgfmt.RPM: {}},
		scripts:   map[pkgfmt.Format]map[string]*string{pkgfmt.Deb: {}, pkgfmt.RPM: {}},
	}
}

// document is all that a dkms-mkpkg.yaml may have.
func (c *config) document() mapping {
	keys := []key{
		{name: "name", about: "The package's name, without -dkms; by default PACKAGE_NAME", value: line{to: &c.name}},
		{name: "version", about: "The version of the package and of the source in it; by default PACKAGE_VERSION", value: line{to: &c.Version, check: checkVersion}},
		{name: "release", about: "Which packaging of that version it is: Debian's revision, RPM's release", value: line{to: &c.release, pattern: releasePattern, form: releaseForm}},
		{name: "epoch", about: "Outweighs the version, for the case that versions were counted otherwise before", value: number{&c.epoch, math.MaxInt32}},
		{name: "summary", about: "What it is, on one line, without a full stop", value: line{to: &c.Summary}},
		{name: "description", about: "What it is, in paragraphs with an empty line between them", value: text{&c.Description}},
		{name: "license", about: "An SPDX licence expression, such as GPL-2.0-or-later", value: line{to: &c.License, check: checkLicense}},
		{name: "homepage", about: "A page on the web", value: line{to: &c.Homepage, pattern: `^https?://[^\s]+$`, form: "http:// or https:// and an address without blanks", check: checkURL}},
		{name: "maintainer", about: "Who makes the package: NAME <ADDRESS>", value: line{to: &c.Maintainer, pattern: `^[^<>]+ <[^<>@\s]+@[^<>@\s]+>$`, form: personForm}},
		{name: "vendor", about: "The organisation that distributes the package; RPM only", value: line{to: &c.Vendor}},
		{name: "section", about: "Debian's section; by default kernel", value: line{to: &c.Section, pattern: `^[A-Za-z0-9][A-Za-z0-9+./ -]*$`, form: "letters, digits, blanks and +./-"}},
	}
	for _, k := range relationKeys {
		keys = append(keys, key{name: k.name, about: k.about, value: relations(k.deb(c.relations[pkgfmt.Deb]), k.rpm(c.relations[pkgfmt.RPM]))})
	}
	return mapping{append(keys,
		key{name: "files", about: "Further files and where they are installed", value: c.placedFiles(&c.files, true)},
		key{name: "modprobe", about: "Files for /usr/lib/modprobe.d, NAME.conf", value: lines(&c.modprobe, endsIn(".conf"))},
		key{name: "udev", about: "Files for /usr/lib/udev/rules.d, NN-NAME.rules", value: lines(&c.udev, endsIn(".rules"))},
		key{name: "modules-load", about: "Files for /usr/lib/modules-load.d, NAME.conf", value: lines(&c.modulesLoad, endsIn(".conf"))},
		key{name: "firmware", about: "Files or directories for /usr/lib/firmware", value: c.placedFirmware()},
		key{name: "dracut", about: "Directories for /usr/lib/dracut/modules.d, NNNAME, or files for dracut.conf.d, NAME.conf", value: lines(&c.dracut, nil)},
		key{name: "initramfs-tools", about: "Hooks for /usr/share/initramfs-tools/hooks, or files that lie in scripts/STAGE; Debian only", value: lines(&c.initramfs, nil)},
		key{name: "scripts", about: "Files whose shell commands run after the package's own, by the format's names", value: mapping{[]key{
			{name: "deb", about: "deb-postinst(5) and so on", value: c.scriptFiles(pkgfmt.Deb, debScripts)},
			{name: "rpm", about: "rpm-scriptlets(7)", value: c.scriptFiles(pkgfmt.RPM, rpmScripts)},
		}}},
		key{name: "ignore", about: "Patterns of what is left out, as in a .gitignore; they outweigh .dkmsignore", value: lines(&c.ignore, nil)},
		key{name: "changelog", about: "What changed, newest first; by default debian/changelog", value: c.changelog()},
		key{name: "kmod", about: "Packages of built modules", value: mapping{[]key{
			{name: "abi", about: "Which kernels a package is for: exact, one; ksym, those with the same symbols", value: choice{&c.kmod.ABI, []string{"exact", "ksym"}}},
			{name: "kernels", about: "Kernels to build for when none is named, as uname -r", value: lines(&c.kmod.Kernels, checkRelease)},
		}}},
	)}
}

// placedFiles is a list of {source, path, mode, config, format}.
func (c *config) placedFiles(to *[]placed, must bool) list {
	return list{func(line int) value {
		*to = append(*to, placed{line: line})
		return placing(&(*to)[len(*to)-1], must)
	}}
}

func placing(p *placed, must bool) mapping {
	about := "Where it is installed: an absolute path"
	if !must {
		about = "Where it is installed, below /usr/lib/firmware; by default its name"
	}
	keys := []key{
		{name: "source", about: "The file, relative to the source; a directory stands for all that is in it", value: line{to: &p.source}, must: true},
		{name: "path", about: about, value: line{to: &p.path}, must: must},
	}
	if must {
		keys = append(keys,
			key{name: "mode", about: "Permissions, such as \"0644\"; by default 0755 for programs, 0644 for others", value: line{to: &p.mode, pattern: `^0?[0-7]{3}$`, form: "three octal digits, such as 0644"}},
			key{name: "config", about: "The administrator may change it, and an upgrade leaves his changes alone; below /etc only", value: yesNo{&p.config}},
			key{name: "format", about: "Only packages of this format have it", value: choice{&p.format, []string{"deb", "rpm"}}})
	}
	return mapping{keys}
}

// placedFirmware is a list of sources, or of {source, path}.
func (c *config) placedFirmware() list {
	return list{func(at int) value {
		c.firmware = append(c.firmware, placed{line: at})
		p := &c.firmware[len(c.firmware)-1]
		return either{placing(p, false), line{to: &p.source}}
	}}
}

func (c *config) scriptFiles(f pkgfmt.Format, names []string) mapping {
	var o mapping
	for _, name := range names {
		file := new(string)
		c.scripts[f][name] = file
		o.keys = append(o.keys, key{name: name, about: "A file, relative to the source, for /bin/sh", value: line{to: file}})
	}
	return o
}

func (c *config) changelog() list {
	return list{func(at int) value {
		c.changes = append(c.changes, change{line: at})
		e := &c.changes[len(c.changes)-1]
		return mapping{[]key{
			{name: "version", about: "The version that brought it", value: line{to: &e.version, check: checkVersion}, must: true},
			{name: "date", about: "Its day, 2024-05-01, or second, 2024-05-01T12:00:00Z", value: line{to: &e.date, check: checkDate}, must: true},
			{name: "author", about: "NAME <ADDRESS>; by default the maintainer", value: line{to: &e.author, pattern: `^[^<>]+ <[^<>@\s]+@[^<>@\s]+>$`, form: personForm}},
			{name: "changes", about: "What changed, an element each", value: lines(&e.lines, nil), must: true},
		}}
	}}
}

func checkVersion(s string) string {
	_, err := pkgfmt.MapVersion(pkgfmt.Deb, s)
	var e *dkms.Error
	if errors.As(err, &e) {
		return e.Problem
	}
	return ""
}

func checkLicense(s string) string {
	if better := moduleLicense(s, false); better != "" {
		return "is no SPDX expression; is " + better + " meant?"
	}
	if _, ok := spdxExpression(s); !ok {
		return "is no SPDX expression, such as GPL-2.0-only or GPL-2.0-or-later OR MIT"
	}
	return ""
}

func checkURL(s string) string {
	if httpURL(s) == "" {
		return "is no URL of a page"
	}
	return ""
}

func checkDate(s string) string {
	if _, err := parseTime(s); err != nil {
		return "is no date such as 2024-05-01, or 2024-05-01T12:00:00Z"
	}
	return ""
}

func checkRelease(s string) string {
	if dkms.CheckWord("kernel release", s) != nil {
		return "is no release of a kernel, as uname -r prints it"
	}
	return ""
}

func endsIn(suffix string) func(string) string {
	return func(s string) string {
		if !strings.HasSuffix(s, suffix) {
			return "has to end in " + suffix + ", or it would not be read"
		}
		return ""
	}
}

// readConfig reads a dkms-mkpkg.yaml: file, or the one in the source, or none.
func readConfig(root *os.Root, dir, file string) (*config, error) {
	var text []byte
	var err error
	if file == "" {
		file = filepath.Join(dir, ConfigName)
		if text, err = readSmall(root, ConfigName, maxConfig); errors.Is(err, os.ErrNotExist) {
			return newConfig(), nil
		}
	} else {
		text, err = readNamed(file)
	}
	if err != nil {
		return nil, &dkms.Error{Kind: dkms.Usage, Object: file, Problem: "cannot be read", Err: system.Cause(err)}
	}
	return parseConfig(file, text)
}

// readNamed reads a file that a person named, wherever it is.
func readNamed(file string) ([]byte, error) {
	dir, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	return readSmall(dir, filepath.Base(file), maxConfig)
}

// CheckConfig returns what is wrong with the text of a dkms-mkpkg.yaml, whatever
// files it names.
func CheckConfig(text []byte) []conf.Problem {
	d := decoder{file: ConfigName}
	if _, err := d.document(text); err != nil {
		return []conf.Problem{{File: ConfigName, Text: strings.TrimPrefix(err.Error(), ConfigName+": ")}}
	}
	return d.list
}

// parseConfig reads the text of a dkms-mkpkg.yaml. The error, of Kind Usage,
// tells of everything that is wrong with it.
func parseConfig(file string, text []byte) (*config, error) {
	d := decoder{file: file}
	c, err := d.document(text)
	if err != nil {
		return nil, err
	}
	return c, d.err(dkms.Usage, file, "is not what it has to be", "what it may have: dkms-mkpkg schema, and docs/mkpkg-yaml.md")
}

// document decodes the text of a dkms-mkpkg.yaml. The error is for what is not
// YAML; d collects what else is wrong.
func (d *decoder) document(text []byte) (c *config, err error) {
	file := d.file
	defer func() {
		// The parser has been made to panic by texts before.
		if r := recover(); r != nil {
			c, err = nil, &dkms.Error{Kind: dkms.Usage, Object: file, Problem: fmt.Sprintf("is not YAML: %v", r)}
		}
	}()
	c = newConfig()
	c.file = file
	in := yaml.NewDecoder(bytes.NewReader(text))
	var node, second yaml.Node
	switch err := in.Decode(&node); {
	case errors.Is(err, io.EOF):
		return c, nil
	case err != nil:
		return nil, &dkms.Error{Kind: dkms.Usage, Object: file, Problem: "is not YAML", Err: errors.New(strings.TrimPrefix(err.Error(), "yaml: "))}
	case !errors.Is(in.Decode(&second), io.EOF):
		d.wrong(&second, "has a second document")
	}
	c.document().decode(d, node.Content[0])
	c.check(d)
	return c, nil
}

// check looks at what depends on more than one key.
func (c *config) check(d *decoder) {
	if c.License != "" {
		c.License, _ = spdxExpression(c.License)
	}
	for _, e := range c.changes {
		author := e.author
		if author == "" {
			author = c.Maintainer
		}
		if author == "" && e.version != "" {
			d.add(d.file, e.line, "changelog: there is no author, and no maintainer either")
		}
		at, err := parseTime(e.date)
		if err != nil {
			at = time.Time{} // it has been told of
		}
		if len(e.lines) > 0 {
			c.Changes = append(c.Changes, pkgfmt.Change{Version: parseVersion(e.version), Time: at, Author: author, Lines: e.lines})
		}
	}
	if c.epoch > 0 && strings.Contains(c.Version, ":") {
		d.add(d.file, 0, "there is an epoch in version, and another one in epoch")
	}
}
