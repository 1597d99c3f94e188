package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/templates"
)

// A kind says how a package manager treats a path.
type kind int

const (
	file      kind = iota
	config         // Debian: a conffile. RPM: replaced, because it is a program
	directory      // there without anything in it, and removed with us
	link
	doc     // RPM: may be left out of an installation
	licence // RPM: may not
)

// The formats that an entry may be confined to.
const (
	onlyDeb = "deb"
	onlyRPM = "rpm"
)

// An entry is one path that the packages bring. All belong to root.
type entry struct {
	path string
	kind kind
	mode fs.FileMode // permissions
	body []byte      // of a link: where it points to
	only string      // the one format that has it; empty: all
}

// A text is an entry whose body lies in templates.
type text struct {
	path, template string
	kind           kind
	mode           fs.FileMode
	only           string
}

var texts = []text{
	{path: "/etc/kernel/preinst.d/dkms", template: "kernel/preinst", kind: config, mode: 0o755},
	{path: "/etc/kernel/postinst.d/dkms", template: "kernel/postinst", kind: config, mode: 0o755},
	{path: "/etc/kernel/prerm.d/dkms", template: "kernel/prerm", kind: config, mode: 0o755},
	{path: "/etc/kernel/header_postinst.d/dkms", template: "kernel/header_postinst", kind: config, mode: 0o755},
	{path: "/usr/lib/dkms/common.postinst", template: "lib/common.postinst", mode: 0o755},
	{path: "/usr/lib/dkms/dkms_autoinstaller", template: "lib/dkms_autoinstaller", mode: 0o755},
	{path: "/usr/lib/kernel/install.d/40-dkms.install", template: "lib/40-dkms.install", mode: 0o755},
	{path: "/usr/lib/systemd/system/dkms.service", template: "systemd/dkms.service", mode: 0o644},
	// Debian enables what a package brings; elsewhere presets say what is.
	{path: "/usr/lib/systemd/system-preset/80-dkms-hook.preset", template: "systemd/80-dkms-hook.preset", mode: 0o644, only: onlyRPM},
	{path: "/usr/share/bash-completion/completions/dkms-hook", template: "completion/dkms-hook.bash", mode: 0o644},
	{path: "/usr/share/zsh/vendor-completions/_dkms-hook", template: "completion/dkms-hook.zsh", mode: 0o644, only: onlyDeb},
	{path: "/usr/share/zsh/site-functions/_dkms-hook", template: "completion/dkms-hook.zsh", mode: 0o644, only: onlyRPM},
	{path: "/usr/share/fish/vendor_completions.d/dkms-hook.fish", template: "completion/dkms-hook.fish", mode: 0o644},
	{path: "/usr/share/man/man5/dkms.conf.5.gz", template: "man/dkms.conf.5", kind: doc, mode: 0o644},
	{path: "/usr/share/man/man5/dkms-framework.conf.5.gz", template: "man/dkms-framework.conf.5", kind: doc, mode: 0o644},
	{path: "/usr/share/man/man8/dkms-hook.8.gz", template: "man/dkms-hook.8", kind: doc, mode: 0o644},
	{path: "/usr/share/doc/dkms-hook/examples/framework.conf", template: "framework.conf", kind: doc, mode: 0o644},
	{path: "/usr/share/lintian/overrides/dkms-hook", template: "deb/lintian-overrides", mode: 0o644, only: onlyDeb},
}

var links = []entry{
	{path: "/usr/sbin/dkms", body: []byte("dkms-hook")},
	{path: "/usr/share/bash-completion/completions/dkms", body: []byte("dkms-hook")},
	{path: "/usr/share/fish/vendor_completions.d/dkms.fish", body: []byte("dkms-hook.fish")},
	{path: "/usr/share/man/man8/dkms.8.gz", body: []byte("dkms-hook.8.gz")},
}

// directories are those that are ours, and those that would be missing. RPM
// removes only what a package names; dpkg takes the folders of files as well.
var directories = []entry{
	{path: "/etc/dkms"},
	{path: "/etc/dkms/framework.conf.d"},
	{path: "/var/lib/dkms"},
	{path: "/etc/kernel/preinst.d", only: onlyRPM},
	{path: "/etc/kernel/postinst.d", only: onlyRPM},
	{path: "/etc/kernel/prerm.d", only: onlyRPM},
	{path: "/etc/kernel/header_postinst.d", only: onlyRPM},
	{path: "/usr/lib/dkms", only: onlyRPM},
	{path: "/usr/share/doc/dkms-hook", only: onlyRPM},
	{path: "/usr/share/doc/dkms-hook/examples", only: onlyRPM},
	{path: "/usr/share/licenses/dkms-hook", only: onlyRPM},
}

// entries is everything that the package of a format brings, by path.
func (r release) entries(format string) ([]entry, error) {
	log, err := compressed([]byte(debianLog(r)))
	if err != nil {
		return nil, err
	}
	all := []entry{
		{path: "/usr/sbin/dkms-hook", mode: 0o755, body: r.program},
		{path: "/usr/share/doc/dkms-hook/changelog.gz", kind: doc, mode: 0o644, body: log, only: onlyDeb},
		{path: "/usr/share/doc/dkms-hook/copyright", mode: 0o644, body: r.legal, only: onlyDeb},
		{path: "/usr/share/licenses/dkms-hook/LICENSE", kind: licence, mode: 0o644, body: r.licence, only: onlyRPM},
		{path: "/usr/share/licenses/dkms-hook/copyright", kind: licence, mode: 0o644, body: r.legal, only: onlyRPM},
	}
	for _, t := range texts {
		e, err := t.entry()
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	for _, l := range links {
		l.kind, l.mode = link, 0o777
		all = append(all, l)
	}
	for _, d := range directories {
		d.kind, d.mode = directory, 0o755
		all = append(all, d)
	}
	all = slices.DeleteFunc(all, func(e entry) bool { return e.only != "" && e.only != format })
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return all, nil
}

func (t text) entry() (entry, error) {
	body, err := templates.Files.ReadFile(t.template)
	if err == nil && path.Ext(t.path) == ".gz" {
		body, err = compressed(body)
	}
	return entry{path: t.path, kind: t.kind, mode: t.mode, body: body, only: t.only}, err
}

// compressed is gzip without a time, so that the same is always the same.
func compressed(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// script returns a script of the packages, which lies in templates.
func script(name string) (string, error) {
	body, err := templates.Files.ReadFile(name)
	return string(body), err
}

// withHooks puts the kernel hooks into a shell script, as branches of a case,
// in the place of its line "# @HOOKS@".
func withHooks(script string) (string, error) {
	var branches strings.Builder
	for _, t := range texts {
		hook, ok := strings.CutPrefix(t.template, "kernel/")
		if !ok {
			continue
		}
		e, err := t.entry()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&branches, "\t%s)\n\t\tcat <<'HOOK'\n%sHOOK\n\t\t;;\n", hook, e.body)
	}
	before, after, ok := strings.Cut(script, "\t# @HOOKS@\n")
	if !ok {
		return "", fmt.Errorf("the script has no line # @HOOKS@")
	}
	return before + branches.String() + after, nil
}
