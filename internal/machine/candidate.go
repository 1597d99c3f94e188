package machine

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// Candidate is a package that this run may work on, registered or not yet.
type Candidate struct {
	dkms.Package
	Source   string // directory that holds the source now
	ConfFile string // dkms.conf in there, or what -c names
	// Bring puts the source where it will be registered from; nil when it is
	// there.
	Bring      func() (*tree.Brought, error)
	Registered bool
	PostAdd    string // its POST_ADD, once the dkms.conf has been read

	aside  bool // not what the call is about, so -c and --directive are not about it
	warned bool // its dkms.conf's warnings have been shown
}

// SetAside says that c is not what the call is about.
func (c *Candidate) SetAside() { c.aside, c.ConfFile = true, filepath.Join(c.Source, "dkms.conf") }

// Candidate returns the package whose source lies in dir.
func (m *Machine) Candidate(p dkms.Package, dir string, registered bool) *Candidate {
	m.reading.Lock()
	defer m.reading.Unlock()
	if c, ok := m.packages[p]; ok {
		return c
	}
	c := &Candidate{Package: p, Source: dir, ConfFile: filepath.Join(dir, "dkms.conf"), Registered: registered}
	if m.o.ConfFile != "" {
		c.ConfFile = m.o.ConfFile
	}
	m.packages[p] = c
	return c
}

// Registered returns the candidate of a package that is in the tree and whose
// source can be reached.
func (m *Machine) Registered(have tree.Snapshot, p dkms.Package) (*Candidate, bool) {
	state, ok := have.Find(p)
	if !ok || state.State == dkms.Broken {
		return nil, false
	}
	return m.Candidate(p, state.Source, true), true
}

// Recipe evaluates c's dkms.conf for one kernel, once.
func (m *Machine) Recipe(ctx context.Context, c *Candidate, k kbuild.Kernel) (kbuild.Recipe, error) {
	ref := dkms.Ref{Package: c.Package, KernelID: k.KernelID}
	m.reading.Lock()
	defer m.reading.Unlock()
	if recipe, ok := m.recipes.get(ref); ok {
		return recipe, nil
	}
	e := m.evaluated(ctx, c, k)
	if e.err != nil {
		return kbuild.Recipe{}, e.err
	}
	if !c.warned {
		for _, w := range e.conf.Warnings {
			// Who registers it may mend it; who builds it every week, or has a
			// distribution package do so, cannot.
			if !w.Deprecated || !c.Registered && !m.o.Unattended || m.Talkative() {
				m.console.Warn(w.String())
			}
		}
		c.warned = true
	}
	c.PostAdd = e.conf.PostAdd
	if e.unresolved != nil {
		return kbuild.Recipe{}, e.unresolved
	}
	m.recipes.put(ref, e.recipe)
	return e.recipe, nil
}

// Resolved returns what is known of a ref that is registered.
func (m *Machine) Resolved(ctx context.Context, ref dkms.Ref) (*Candidate, kbuild.Kernel, kbuild.Recipe, error) {
	k, err := m.Kernel(ref.KernelID)
	if err != nil {
		return nil, k, kbuild.Recipe{}, err
	}
	c := m.Candidate(ref.Package, m.Tree.SourceLink(ref.Package), true)
	recipe, err := m.Recipe(ctx, c, k)
	return c, k, recipe, err
}

func (m *Machine) confRequest(c *Candidate) conf.Request {
	request := conf.Request{
		Package: c.Package,
		File:    c.ConfFile,
		EtcDir:  EtcDir,
		Trees:   conf.Trees{DKMS: m.Tree.Dir, Source: m.Tree.SourceDir, Install: m.Tree.InstallDir},
		Jobs:    m.Jobs(),
	}
	if !c.aside {
		request.Directives = m.o.Directives
	}
	return request
}

// Identify reads a package's name and version from its dkms.conf, for k; what is
// given already wins.
func (m *Machine) Identify(ctx context.Context, file string, given dkms.Package, k kbuild.Kernel) (dkms.Package, error) {
	return conf.Identify(ctx, m.confRequest(&Candidate{Package: given, ConfFile: file}), k)
}

// Known returns the recipe of ref if it has been asked for before.
func (m *Machine) Known(ref dkms.Ref) (kbuild.Recipe, bool) { return m.recipes.get(ref) }

// Broken is the error of a package whose source cannot be reached.
func Broken(s tree.PackageState) error {
	return &dkms.Error{Kind: dkms.ConfMissing, Object: s.Package.String(), Problem: "is broken: " + s.Problem,
		Hint: fmt.Sprintf("put the source back, or take it out with: dkms remove %s --all --force", s.Package)}
}
