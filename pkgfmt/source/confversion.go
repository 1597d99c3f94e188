package source

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// anyKernel is the kernel that a dkms.conf is evaluated for when it is about no
// kernel at all. It is the same on every machine, and none of them has it. Its
// release has the parts that distributions' have, for who takes it to pieces.
func anyKernel() kbuild.Kernel {
	const release = "6.12.0-0-any"
	return kbuild.Kernel{
		KernelID:  dkms.KernelID{Release: release, Arch: "x86_64"},
		ModuleDir: "/lib/modules/" + release, Source: "/lib/modules/" + release + "/build", Suffix: ".ko",
	}
}

// loadConf evaluates a dkms.conf for no kernel in particular. Both the Conf and
// an error may be there, as conf.Load has it.
func loadConf(ctx context.Context, file string) (*conf.Conf, error) {
	return conf.Load(ctx, conf.Request{
		File: file, Programs: conf.Harmless(),
		Trees: conf.Trees{DKMS: "/var/lib/dkms", Source: "/usr/src", Install: "/lib/modules"},
	}, anyKernel())
}

// A confText is a dkms.conf as it is written, before anybody runs it.
type confText struct {
	text string
	// sets are the directives, by name, with the ends of what each assignment
	// assigns in text.
	sets map[string][]span
}

type span struct{ from, to uint }

// parseConf reads the text of a dkms.conf; one that bash could not read has no
// assignments.
func parseConf(text string) confText {
	c := confText{text: text, sets: map[string][]span{}}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), confName)
	if err != nil {
		return c
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		a, ok := n.(*syntax.Assign)
		if !ok || a.Name == nil {
			return true
		}
		at := span{a.Name.End().Offset() + 1, a.End().Offset()}
		if a.Append || a.Index != nil || a.Naked {
			at = span{}
		}
		c.sets[a.Name.Value] = append(c.sets[a.Name.Value], at)
		return true
	})
	return c
}

// with returns the text with every assignment to a directive assigning that
// value instead; without any, one is added.
func (c confText) with(name, value string) string {
	quoted := `"` + value + `"`
	spans := slices.DeleteFunc(slices.Clone(c.sets[name]), func(s span) bool { return s.to == 0 })
	if len(spans) == 0 {
		return strings.TrimSuffix(c.text, "\n") + "\n" + name + "=" + quoted + "\n"
	}
	var b strings.Builder
	from := uint(0)
	for _, s := range spans {
		b.WriteString(c.text[from:s.from] + quoted)
		from = s.to
	}
	return b.String() + c.text[from:]
}

// placeholder is what a program of whoever makes releases puts a version or a name for:
// #MODULE_VERSION#, @VERSION@, __VERSION__, %VERSION%, {{version}}.
var placeholder = regexp.MustCompile(`^(#[A-Za-z_]+#|@[A-Za-z_]+@|__[A-Za-z_]+__|_[A-Z]+_|%[A-Za-z_]+%|%?\{[A-Za-z_]+\}|\{\{ ?[A-Za-z_.]+ ?\}\}|<[A-Za-z_]+>|[A-Z_]*VERSION)$`)

// isVersion tells whether PACKAGE_VERSION is one, or stands for one that
// somebody else was to fill in.
func isVersion(s string) bool {
	return s != "" && !placeholder.MatchString(s) && strings.ContainsAny(s, "0123456789")
}

// filled returns the text of a dkms.conf with that name and version. A
// placeholder is replaced wherever it stands.
func (c confText) filled(was, now dkms.Package) string {
	text := c.text
	for _, d := range []struct{ name, was, now string }{
		{"PACKAGE_NAME", was.Name, now.Name}, {"PACKAGE_VERSION", was.Version, now.Version},
	} {
		if d.was == d.now {
			continue
		}
		if placeholder.MatchString(d.was) && strings.ContainsAny(d.was, "#@_%{<") {
			text = strings.ReplaceAll(text, d.was, d.now)
		}
		text = parseConf(text).with(d.name, d.now)
	}
	return text
}

// loadText evaluates what a source's dkms.conf would be with another text. The
// file finds beside it what it finds in the source.
func loadText(ctx context.Context, dir, text string) (*conf.Conf, error) {
	temporary, err := os.MkdirTemp("", "dkms-mkpkg-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(temporary) }()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Name() == confName {
			continue
		}
		if err := os.Symlink(filepath.Join(dir, e.Name()), filepath.Join(temporary, e.Name())); err != nil {
			return nil, err
		}
	}
	file := filepath.Join(temporary, confName)
	if err := system.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	c, err := loadConf(ctx, file)
	if c != nil {
		for i := range c.Warnings {
			c.Warnings[i].File = moved(c.Warnings[i].File, temporary, dir)
		}
	}
	var said *dkms.Error
	if errors.As(err, &said) {
		said.Object = moved(said.Object, temporary, dir)
	}
	var invalid *conf.Invalid
	if errors.As(err, &invalid) {
		for i := range invalid.Problems {
			invalid.Problems[i].File = moved(invalid.Problems[i].File, temporary, dir)
		}
	}
	return c, err
}

// moved is a path below from as it is below to.
func moved(file, from, to string) string {
	if rest, ok := strings.CutPrefix(file, from); ok {
		return to + rest
	}
	return file
}

// uses are the directives that a dkms.conf sets, whether for this kernel or for
// others only.
func uses(c *conf.Conf, text confText) map[string]bool {
	out := map[string]bool{}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(c.Raw)), slices.Collect(maps.Keys(text.sets))) {
		out[name] = true
	}
	return out
}
