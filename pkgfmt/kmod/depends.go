package kmod

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// ParseDepend reads NAME=PATH of --symvers: what NAME exports is in PATH, a
// Module.symvers or a directory that has one. The error is of Kind Usage.
func ParseDepend(text string) (kbuild.Depend, error) {
	name, path, ok := strings.Cut(text, "=")
	if !ok || path == "" || dkms.CheckWord("name", name) != nil {
		return kbuild.Depend{}, &dkms.Error{Kind: dkms.Usage, Object: "--symvers " + text, Problem: "is not NAME=PATH",
			Hint: "NAME is one of BUILD_DEPENDS, PATH the Module.symvers that its build left"}
	}
	return kbuild.Depend{Name: name, Symvers: path}, nil
}

// depends finds what the recipe is built against, and takes it into the scratch
// directory, whose name make can read.
func (w *workshop) depends(k kbuild.Kernel, recipe kbuild.Recipe) ([]kbuild.Depend, error) {
	var out []kbuild.Depend
	for _, name := range recipe.Depends {
		i := slices.IndexFunc(w.o.Depends, func(d kbuild.Depend) bool { return d.Name == name })
		if i < 0 {
			return nil, &dkms.Error{Kind: dkms.DependsMissing, Object: recipe.Package.String(), Problem: "is built against " + name + " (BUILD_DEPENDS), and nobody said where what that exports is listed",
				Hint: "build " + name + " for " + recipe.Release + " first, and name its Module.symvers: --symvers " + name + "=PATH"}
		}
		path, err := w.symversFor(w.o.Depends[i], k)
		if err != nil {
			return nil, err
		}
		to := filepath.Join(w.o.Scratch, k.Release, "symvers", name, "Module.symvers")
		if err := copyTo(path, to); err != nil {
			return nil, cannotBuildIn(w.o.Scratch, err)
		}
		out = append(out, kbuild.Depend{Name: name, Symvers: to})
	}
	return out, nil
}

// symversFor returns the Module.symvers of d for k. A directory may be that of
// a package in a DKMS tree, NAME/VER, which has one for each kernel.
func (w *workshop) symversFor(d kbuild.Depend, k kbuild.Kernel) (string, error) {
	wrong := func(problem, hint string, err error) error {
		return &dkms.Error{Kind: dkms.Usage, Object: "--symvers " + d.Name + "=" + d.Symvers, Problem: problem, Hint: hint, Err: err}
	}
	path := filepath.Join(d.Symvers, k.Release, k.Arch, "module", "Module.symvers")
	if !system.Exists(path) {
		if path = filepath.Join(d.Symvers, "Module.symvers"); !system.Exists(path) {
			path = d.Symvers
		}
		if len(w.o.Kernels) > 1 {
			return "", wrong("is for one kernel, and "+fmt.Sprint(len(w.o.Kernels))+" are named",
				"make their packages one by one, or name NAME/VER of a DKMS tree in which "+d.Name+" is built for all of them", nil)
		}
	}
	if system.IsDir(path) {
		return "", wrong("has no Module.symvers for "+k.Release, "", nil)
	}
	if _, err := ko.ReadSymvers(path); err != nil {
		return "", wrong("cannot be read", "it is the Module.symvers that the build of "+d.Name+" for "+k.Release+" left", err)
	}
	return path, nil
}

// allNeeded reports a package that was named and that no build depends on.
func (w *workshop) allNeeded(tasks []task) error {
	for _, d := range w.o.Depends {
		if !slices.ContainsFunc(tasks, func(t task) bool { return slices.Contains(t.job.Recipe.Depends, d.Name) }) {
			return &dkms.Error{Kind: dkms.Usage, Object: "--symvers " + d.Name, Problem: "is no package that " + w.d.DKMS.String() + " depends on",
				Hint: "those are named by BUILD_DEPENDS in its dkms.conf"}
		}
	}
	return nil
}
