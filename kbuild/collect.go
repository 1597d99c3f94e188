package kbuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// symversName is the file in which modpost lists the symbols that modules export.
const symversName = "Module.symvers"

// collect verifies the promised modules where make left them, and copies them
// and Module.symvers to the stage, under the names they will have.
func (b *builder) collect(context.Context) error {
	if missing := b.missing(); len(missing) > 0 {
		return b.notProduced(missing)
	}
	symvers, err := b.symvers()
	if err != nil {
		return err
	}
	for _, m := range b.job.Recipe.Modules {
		if err := b.verify(m, b.builtPath(m), b.expect(symvers)); err != nil {
			return err
		}
		if err := system.CopyFile(b.builtPath(m), b.staged(m.Dest+".ko"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// verify holds a module file against what it must be, and notes what it is.
func (b *builder) verify(m Module, path string, want ko.Expect) error {
	built, err := ko.Open(path)
	if err != nil {
		return &dkms.Error{Kind: dkms.ModuleNotProduced, Problem: "make produced no kernel module", Err: err}
	}
	want.Name = m.Built
	warnings, err := ko.Verify(built, want)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		b.warn(w)
	}
	b.result.Modules = append(b.result.Modules, BuiltModule{Module: m, File: m.Dest + ".ko", Version: built.Version, SrcVersion: built.SrcVersion})
	return nil
}

func (b *builder) builtPath(m Module) string {
	return filepath.Join(b.job.Build, m.BuiltDir, m.Built+".ko")
}

func (b *builder) staged(file string) string { return filepath.Join(b.stage, "module", file) }

// wantedRelease is what the modules' vermagic must begin with: the release of
// the headers, as they themselves tell it.
func (b *builder) wantedRelease() string {
	if release := b.job.Kernel.HeaderRelease(); release != "" {
		return release
	}
	return b.job.Kernel.Release
}

// missing returns the promised modules that are not there, relative to the
// build directory.
func (b *builder) missing() []string {
	var out []string
	for _, m := range b.job.Recipe.Modules {
		if info, err := os.Stat(b.builtPath(m)); err != nil || !info.Mode().IsRegular() {
			out = append(out, filepath.Join(m.BuiltDir, m.Built+".ko"))
		}
	}
	return out
}

// notProduced is the error for promised modules that are not there; it lists
// those that are.
func (b *builder) notProduced(missing []string) error {
	found, err := b.find(func(name string) bool { return strings.HasSuffix(name, ".ko") })
	if err != nil {
		return err
	}
	produced := "no module at all"
	if len(found) > 0 {
		produced = strings.Join(found, ", ")
	} else if text, err := os.ReadFile(b.logPath()); err == nil {
		// Some Makefiles end well whatever happened.
		if first, _ := Diagnose(string(text), b.job.Build); first != "" {
			produced += "; the first error of make: " + first
		}
	}
	return &dkms.Error{Kind: dkms.ModuleNotProduced, Problem: fmt.Sprintf("make did not produce %s; it produced %s", strings.Join(missing, ", "), produced),
		Hint: "BUILT_MODULE_NAME and BUILT_MODULE_LOCATION in dkms.conf must say what the Makefile makes"}
}

// find returns the files in the build directory whose name fits, sorted and
// relative to it.
func (b *builder) find(fits func(name string) bool) ([]string, error) {
	var out []string
	err := filepath.WalkDir(b.job.Build, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Type().IsRegular() && fits(d.Name()) {
			rel, err := filepath.Rel(b.job.Build, path)
			if err != nil {
				return err
			}
			out = append(out, rel)
		}
		return nil
	})
	return out, err
}

// symvers returns the exported symbols of the kernel, of this build and of
// what it depends on, and stages this build's Module.symvers.
func (b *builder) symvers() ([]ko.Symvers, error) {
	own, err := b.ownSymvers()
	if err != nil {
		return nil, err
	}
	all, err := b.symversOf(own...)
	if err != nil {
		return nil, err
	}
	return all, b.stageSymvers(own)
}

// symversOf returns the exported symbols of the kernel, of what the build depends
// on, and those in the files own.
func (b *builder) symversOf(own ...string) (out []ko.Symvers, err error) {
	paths := []string{filepath.Join(b.job.Kernel.Source, symversName)}
	for _, d := range b.job.Depends {
		paths = append(paths, d.Symvers)
	}
	for _, path := range append(paths, own...) {
		s, err := ko.ReadSymvers(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// ownSymvers finds the Module.symvers files that make wrote; a copy that was
// shipped with the source may be of any kernel.
func (b *builder) ownSymvers() ([]string, error) {
	found, err := b.find(func(name string) bool { return name == symversName })
	if err != nil {
		return nil, err
	}
	var out []string
	for _, rel := range found {
		path := filepath.Join(b.job.Build, rel)
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		// File systems keep coarser times than clocks do.
		if info.ModTime().After(b.began.Add(-2 * time.Second)) {
			out = append(out, path)
		}
	}
	return out, nil
}

// stageSymvers makes one Module.symvers of those that make wrote, for the
// packages that depend on this one. Of most packages there is just one.
func (b *builder) stageSymvers(paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	var lines []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines = slices.AppendSeq(lines, strings.Lines(string(text)))
	}
	if len(paths) > 1 {
		slices.Sort(lines)
		lines = slices.Compact(lines)
	}
	return os.WriteFile(b.staged(symversName), []byte(strings.Join(lines, "")), 0o644)
}

// strip removes debug information, where the recipe says so.
func (b *builder) strip(ctx context.Context) error {
	for _, m := range b.result.Modules {
		if !m.Strip {
			continue
		}
		if err := ko.StripDebug(ctx, b.staged(m.File), b.job.Kernel.Clang(), b.env); err != nil {
			return err
		}
	}
	return nil
}

// sign signs the modules.
func (b *builder) sign(ctx context.Context) error {
	if b.job.Signer == nil {
		return nil
	}
	for _, m := range b.result.Modules {
		if err := b.job.Signer.SignFile(ctx, b.staged(m.File)); err != nil {
			return err
		}
	}
	return nil
}

// compress gives the modules the suffix of the kernel's own.
func (b *builder) compress(ctx context.Context) error {
	for i := range b.result.Modules {
		m := &b.result.Modules[i]
		path, err := ko.Compress(ctx, b.staged(m.File), b.job.Kernel.Suffix, b.job.Compress)
		if err != nil {
			return err
		}
		m.File = filepath.Base(path)
	}
	return nil
}
