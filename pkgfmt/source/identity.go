package source

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// identify evaluates the dkms.conf, and fills in a name or a version that it
// leaves to others.
func (r *reader) identify(ctx context.Context) error {
	c, failure := loadConf(ctx, filepath.Join(r.dir, confName))
	if c == nil || syntaxErrors(failure) {
		return failure
	}
	var modules []string
	for _, m := range c.Modules {
		modules = append(modules, m.Built)
	}
	r.look(modules, c.PackageName)
	was := dkms.Package{Name: c.PackageName, Version: c.PackageVersion}
	now, err := r.identity(was)
	if err != nil {
		return err
	}
	if was != now {
		if c, failure = r.fillIn(ctx, was, now); c == nil {
			return failure
		}
	}
	r.conf, r.dkms = c, now
	return failure
}

// syntaxErrors tells whether bash cannot read a dkms.conf to its end, and leaves
// nothing but that in the failure: what is missing may stand behind it.
func syntaxErrors(failure error) bool {
	var invalid *conf.Invalid
	syntax := func(p conf.Problem) bool { return strings.HasPrefix(p.Text, "syntax error") }
	if !errors.As(failure, &invalid) || !slices.ContainsFunc(invalid.Problems, syntax) {
		return false
	}
	invalid.Problems = slices.DeleteFunc(invalid.Problems, func(p conf.Problem) bool { return !syntax(p) })
	return true
}

// look asks everyone who may know something of the source.
func (r *reader) look(modules []string, name string) {
	if r.repo != nil {
		r.repo.chooseTag(name)
	}
	later := false
	for _, m := range r.macros {
		later = later || m.OrLater
	}
	r.places = []facts{
		r.config.facts,
		macroFacts(r.macros, modules, name),
		{License: textLicense(r.root, licenceFiles(r.files), later)},
		debianFacts(r.root),
		specFacts(r.root),
		gitFacts(r.repo, name),
	}
}

// identity says what the source is called, where the dkms.conf has was.
func (r *reader) identity(was dkms.Package) (dkms.Package, error) {
	now := was
	if placeholder.MatchString(was.Name) || was.Name == "" {
		now.Name = r.config.name
		if err := r.checkIdentity("PACKAGE_NAME", was.Name, now.Name, "give it one, or name: in "+ConfigName); err != nil {
			return now, err
		}
	}
	switch version := r.config.Version; {
	case version != "":
		_, bare, found := strings.Cut(version, ":")
		if now.Version = version; found {
			now.Version = bare
		}
	case isVersion(was.Version):
		return now, nil // whether it is a good one is said by who evaluates it
	default:
		now.Version = first(r.places[1:], func(f facts) string { return usable(f.Version) })
	}
	return now, r.checkIdentity("PACKAGE_VERSION", was.Version, now.Version,
		"give it one, version: in "+ConfigName+", -v, MODULE_VERSION, or a tag of the commit")
}

// usable is a version that someone mentions if it can be one.
func usable(s string) string {
	if !isVersion(s) || dkms.CheckWord("version", s) != nil {
		return ""
	}
	return s
}

// checkIdentity judges what a directive is to be.
func (r *reader) checkIdentity(directive, was, now, hint string) error {
	switch {
	case now == "" && was == "":
		return &dkms.Error{Kind: dkms.ConfInvalid, Object: filepath.Join(r.dir, confName), Problem: directive + " is missing, and nothing else tells of one", Hint: hint}
	case now == "":
		return &dkms.Error{Kind: dkms.ConfInvalid, Object: filepath.Join(r.dir, confName),
			Problem: fmt.Sprintf("%s is %q, which somebody else was to fill in, and nothing tells with what", directive, shortened(was)), Hint: hint}
	}
	return dkms.CheckWord(directive, now)
}

// fillIn evaluates the dkms.conf with another name or version, and has it in
// the package like that.
func (r *reader) fillIn(ctx context.Context, was, now dkms.Package) (*conf.Conf, error) {
	text := r.text.filled(was, now)
	c, err := loadText(ctx, r.dir, text)
	if c == nil || err != nil {
		return c, err
	}
	if c.PackageName != now.Name || c.PackageVersion != now.Version {
		return nil, &dkms.Error{Kind: dkms.ConfInvalid, Object: filepath.Join(r.dir, confName),
			Problem: fmt.Sprintf("PACKAGE_NAME and PACKAGE_VERSION are set so that they cannot be made %s and %s", now.Name, now.Version),
			Hint:    "set each of them once, on a line of its own"}
	}
	for i, f := range r.files {
		if f.Path == confName {
			r.files[i].Source, r.files[i].Size, r.files[i].Data = "", 0, []byte(text)
		}
	}
	r.text = parseConf(text)
	return c, nil
}

// packageName is the name of the package: as it was given, else that of the
// source, without -dkms.
func packageName(given, source string) string {
	name := source
	if given != "" {
		name = given
	}
	if short := strings.TrimSuffix(name, "-dkms"); short != "" {
		return short
	}
	return name
}
