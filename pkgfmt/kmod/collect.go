package kmod

import (
	"context"
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// inputs notes what the build is made from, before it is, and which modules are
// to come of it.
func (w *workshop) inputs(ctx context.Context, k kbuild.Kernel, recipe kbuild.Recipe) (Built, error) {
	b := Built{Kernel: k, Recipe: recipe, Modversions: k.Config.Set("CONFIG_MODVERSIONS"), KernelCompiler: k.Config.Value("CONFIG_CC_VERSION_TEXT")}
	for _, m := range recipe.Modules {
		b.Modules = append(b.Modules, Module{BuiltModule: kbuild.BuiltModule{Module: m, File: m.Dest + k.Suffix}})
	}
	// The recipe has the names of directories in it, so the one of a machine
	// that has the source registered is taken.
	usual, err := w.recipe(ctx, k, conf.Trees{DKMS: "/var/lib/dkms", Source: "/usr/src", Install: w.o.InstallTree})
	if err != nil {
		return b, err
	}
	if b.Fingerprint, err = w.fingers.Of(ctx, usual, k, w.source(), "", nil); err != nil {
		return b, err
	}
	if b.ConfigHash, err = hashIfThere(k.ConfigFile); err != nil {
		return b, err
	}
	symvers := filepath.Join(k.Source, "Module.symvers")
	if b.SymversHash, err = hashIfThere(symvers); err != nil {
		return b, err
	}
	if b.Symvers, err = ko.ReadSymvers(symvers); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	b.Native, err = readNative(w.o.DpkgDir, k.Release)
	return b, err
}

func hashIfThere(path string) (string, error) {
	if path == "" || !system.Exists(path) {
		return "", nil
	}
	return system.Hash(path)
}

// collect takes the modules that were built for what they are.
func (w *workshop) collect(b *Built, job kbuild.Job, result kbuild.Result) error {
	b.Modules = nil
	for _, m := range result.Modules {
		path := filepath.Join(result.Stage, "module", m.File)
		facts, err := ReadFacts(path, m.File)
		if err != nil {
			return err
		}
		if w.o.abi() == Ksym && len(facts.Needs) == 0 && len(facts.Undefined) > 0 {
			return &dkms.Error{Kind: dkms.ModuleNotProduced, Object: m.File, Problem: "has no checksums of the symbols that it takes from the kernel, so none can be required",
				Hint: "the headers of " + b.Kernel.Release + " lack a Module.symvers with checksums; --abi exact does without"}
		}
		module := Module{BuiltModule: m, Path: path, Facts: facts}
		if module.Size, err = sizeOf(path); err != nil {
			return err
		}
		if w.o.Debug {
			// What make left is untouched: kbuild strips a copy of it.
			unstripped := filepath.Join(job.Scratch, "build", m.BuiltDir, m.Built+".ko")
			if hasDebug(unstripped) {
				module.Debug = unstripped
				if module.DebugSize, err = sizeOf(unstripped); err != nil {
					return err
				}
			} else {
				b.Warnings = append(b.Warnings, m.Built+".ko has no debug information: the kernel is configured without CONFIG_DEBUG_INFO")
			}
		}
		b.Modules = append(b.Modules, module)
	}
	slices.SortFunc(b.Modules, func(x, y Module) int { return strings.Compare(x.File, y.File) })
	return nil
}

func sizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func hasDebug(path string) bool {
	f, err := elf.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // only read
	return f.Section(".debug_info") != nil
}
