package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/templates"
)

// An only is a file of one format; the empty format is any.
type only struct {
	format pkgfmt.Format
	file   pkgfmt.File
}

// A text is a file whose bytes lie in templates.
type text struct {
	path, template string
	kind           pkgfmt.FileKind
	mode           fs.FileMode
	only           pkgfmt.Format
}

var texts = []text{
	{path: "/etc/kernel/preinst.d/dkms", template: "kernel/preinst", kind: pkgfmt.Config, mode: 0o755},
	{path: "/etc/kernel/postinst.d/dkms", template: "kernel/postinst", kind: pkgfmt.Config, mode: 0o755},
	{path: "/etc/kernel/prerm.d/dkms", template: "kernel/prerm", kind: pkgfmt.Config, mode: 0o755},
	{path: "/etc/kernel/header_postinst.d/dkms", template: "kernel/header_postinst", kind: pkgfmt.Config, mode: 0o755},
	{path: "/usr/lib/dkms/common.postinst", template: "lib/common.postinst", mode: 0o755},
	{path: "/usr/lib/dkms/dkms_autoinstaller", template: "lib/dkms_autoinstaller", mode: 0o755},
	{path: "/usr/lib/kernel/install.d/40-dkms.install", template: "lib/40-dkms.install", mode: 0o755},
	{path: "/usr/lib/systemd/system/dkms.service", template: "systemd/dkms.service", mode: 0o644},
	// Debian enables what a package brings; elsewhere presets say what is.
	{path: "/usr/lib/systemd/system-preset/80-dkms-hook.preset", template: "systemd/80-dkms-hook.preset", mode: 0o644, only: pkgfmt.RPM},
	{path: "/usr/share/bash-completion/completions/dkms-hook", template: "completion/dkms-hook.bash", mode: 0o644},
	{path: "/usr/share/zsh/vendor-completions/_dkms-hook", template: "completion/dkms-hook.zsh", mode: 0o644, only: pkgfmt.Deb},
	{path: "/usr/share/zsh/site-functions/_dkms-hook", template: "completion/dkms-hook.zsh", mode: 0o644, only: pkgfmt.RPM},
	{path: "/usr/share/fish/vendor_completions.d/dkms-hook.fish", template: "completion/dkms-hook.fish", mode: 0o644},
	{path: "/usr/share/man/man5/dkms.conf.5.gz", template: "man/dkms.conf.5", kind: pkgfmt.Doc, mode: 0o644},
	{path: "/usr/share/man/man5/dkms-framework.conf.5.gz", template: "man/dkms-framework.conf.5", kind: pkgfmt.Doc, mode: 0o644},
	{path: "/usr/share/man/man8/dkms-hook.8.gz", template: "man/dkms-hook.8", kind: pkgfmt.Doc, mode: 0o644},
	{path: "/usr/share/doc/dkms-hook/examples/framework.conf", template: "framework.conf", kind: pkgfmt.Doc, mode: 0o644},
	{path: "/usr/share/lintian/overrides/dkms-hook", template: "deb/lintian-overrides", mode: 0o644, only: pkgfmt.Deb},
}

// links are what each points to.
var links = map[string]string{
	"/usr/sbin/dkms": "dkms-hook",
	"/usr/share/bash-completion/completions/dkms":    "dkms-hook",
	"/usr/share/fish/vendor_completions.d/dkms.fish": "dkms-hook.fish",
	"/usr/share/man/man8/dkms.8.gz":                  "dkms-hook.8.gz",
}

// directories are those that are ours with nothing in them, and those of
// others that would be missing. RPM removes only what a package names.
var directories = map[string]pkgfmt.Format{
	"/etc/dkms": "", "/etc/dkms/framework.conf.d": "", "/var/lib/dkms": "",
	"/etc/kernel/preinst.d": pkgfmt.RPM, "/etc/kernel/postinst.d": pkgfmt.RPM,
	"/etc/kernel/prerm.d": pkgfmt.RPM, "/etc/kernel/header_postinst.d": pkgfmt.RPM,
}

// files is everything that the package of a format brings, by path. The
// changelog comes with the format.
func (r release) files(format pkgfmt.Format) ([]pkgfmt.File, error) {
	const licences = "/usr/share/licenses/dkms-hook/"
	all := []only{
		{"", pkgfmt.File{Path: "/usr/sbin/dkms-hook", Mode: 0o755, Data: r.program}},
		{pkgfmt.Deb, pkgfmt.File{Path: "/usr/share/doc/dkms-hook/copyright", Mode: 0o644, Data: r.legal}},
		{pkgfmt.RPM, pkgfmt.File{Path: licences + "LICENSE", Kind: pkgfmt.Licence, Mode: 0o644, Data: r.licence}},
		{pkgfmt.RPM, pkgfmt.File{Path: licences + "copyright", Kind: pkgfmt.Licence, Mode: 0o644, Data: r.legal}},
	}
	for _, t := range texts {
		f, err := t.file()
		if err != nil {
			return nil, err
		}
		if format == pkgfmt.RPM && f.Kind == pkgfmt.Config {
			f.Kind = pkgfmt.Regular // there they are programs, which are replaced
		}
		all = append(all, only{t.only, f})
	}
	for path, target := range links {
		all = append(all, only{"", pkgfmt.File{Path: path, Kind: pkgfmt.Link, Mode: 0o777, Target: target}})
	}
	for path, format := range directories {
		all = append(all, only{format, pkgfmt.File{Path: path, Kind: pkgfmt.Directory, Mode: 0o755}})
	}
	var out []pkgfmt.File
	for _, o := range all {
		if o.format == "" || o.format == format {
			out = append(out, o.file)
		}
	}
	slices.SortFunc(out, func(a, b pkgfmt.File) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

func (t text) file() (pkgfmt.File, error) {
	body, err := templates.Files.ReadFile(t.template)
	if err == nil && path.Ext(t.path) == ".gz" {
		body, err = compressed(body)
	}
	return pkgfmt.File{Path: t.path, Kind: t.kind, Mode: t.mode, Data: body}, err
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
		f, err := t.file()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&branches, "\t%s)\n\t\tcat <<'HOOK'\n%sHOOK\n\t\t;;\n", hook, f.Data)
	}
	before, after, ok := strings.Cut(script, "\t# @HOOKS@\n")
	if !ok {
		return "", fmt.Errorf("the script has no line # @HOOKS@")
	}
	return before + branches.String() + after, nil
}
