package hooks

import (
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// status lists what is there. It takes no lock and changes nothing.
func (r *run) status() error {
	only, err := r.call.spelled()
	switch {
	case kindOf(err) == dkms.Usage:
		return err
	case err != nil:
		return nil // nothing can be registered under such a name
	}
	have, err := r.tree.Scan(r.ctx)
	if err != nil {
		return err
	}
	have.Packages = slices.DeleteFunc(have.Packages, func(p tree.PackageState) bool {
		return only.Name != "" && p.Name != only.Name || only.Version != "" && p.Version != only.Version
	})
	if err := r.tree.Compare(r.ctx, &have, r.comparison()); err != nil {
		return err
	}
	var rows []report.Row
	for _, p := range have.Packages {
		rows = append(rows, r.rows(p)...)
	}
	for _, w := range have.Weak {
		if (only.Name == "" || w.Name == only.Name) && r.call.wantsKernel(w.KernelID) {
			rows = append(rows, report.Row{Package: w.Package, Kernel: w.KernelID, State: dkms.Installed, WeakFrom: w.From})
		}
	}
	for _, problem := range have.Problems {
		r.console.Warn(problem.String())
	}
	return r.printStatus(rows)
}

// comparison is what the tree may ask where no manifest tells.
func (r *run) comparison() tree.CompareOptions {
	return tree.CompareOptions{Promised: r.promised, Dirs: r.addedDirs()}
}

func (r *run) printStatus(rows []report.Row) error {
	if r.call.JSON {
		return report.StatusJSON(r.Stdout, rows)
	}
	if err := report.Status(r.Stdout, rows); err != nil {
		return err
	}
	if r.call.Compatible {
		return nil
	}
	return report.StatusFurther(r.Stderr, rows)
}

// rows are the lines about one package: one for each kernel that passes the
// filters, else one for the package itself.
func (r *run) rows(p tree.PackageState) []report.Row {
	if p.State == dkms.Broken {
		if r.call.Compatible {
			r.console.Problem(broken(p))
		}
		return []report.Row{{Package: p.Package, State: dkms.Broken,
			Further: []report.Further{{State: report.BrokenSource, Reason: p.Problem}}}}
	}
	var rows []report.Row
	for _, s := range p.Refs {
		if !r.call.wantsKernel(s.KernelID) {
			continue
		}
		row := report.Row{Package: p.Package, Kernel: s.KernelID, State: s.State, Originals: s.Originals, Missing: s.Missing, Differs: s.Differs}
		if why := r.staleness(s.Ref); why != "" {
			row.Further = append(row.Further, report.Further{State: report.Stale, Reason: why})
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		rows = append(rows, report.Row{Package: p.Package, State: dkms.Added})
	}
	return rows
}

// promised asks ref's dkms.conf for its modules. What is odd about the
// dkms.conf is not said here: that is for those who build.
func (r *run) promised(ref dkms.Ref) ([]tree.Module, error) {
	quiet := r.console.Quiet
	r.console.Quiet = true
	defer func() { r.console.Quiet = quiet }()
	_, _, recipe, err := r.resolved(ref)
	if err != nil {
		return nil, err
	}
	return r.modulesOf(recipe), nil
}

// modulesOf tells the tree where the modules of a recipe belong.
func (r *run) modulesOf(recipe kbuild.Recipe) []tree.Module {
	distro, _ := distribution()
	modules := make([]tree.Module, 0, len(recipe.Modules))
	for _, m := range recipe.Modules {
		modules = append(modules, tree.Module{Name: m.Dest, Dir: moduleDir(distro, m.DestDir)})
	}
	return modules
}

// addedDirs are the directories for added modules, where the distribution has
// one for all.
func (r *run) addedDirs() []string {
	distro, _ := distribution()
	if dir := moduleDir(distro, ""); dir != "" {
		return []string{dir}
	}
	return nil
}
