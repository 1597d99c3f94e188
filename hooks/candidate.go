package hooks

import (
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// candidate is a package that this run may work on, registered or not yet.
type candidate struct {
	dkms.Package
	source   string // directory that holds the source now
	confFile string // dkms.conf in there, or what -c names
	// bring puts the source where it will be registered from; nil when it is
	// there.
	bring      func() (*tree.Brought, error)
	registered bool
	aside      bool   // not what the call is about, so -c and --directive are not about it
	warned     bool   // its dkms.conf's warnings have been shown
	postAdd    string // its POST_ADD, once the dkms.conf has been read
}

// candidateIn returns the package whose source lies in dir.
func (r *run) candidateIn(p dkms.Package, dir string, registered bool) *candidate {
	r.reading.Lock()
	defer r.reading.Unlock()
	if c, ok := r.packages[p]; ok {
		return c
	}
	c := &candidate{Package: p, source: dir, confFile: filepath.Join(dir, "dkms.conf"), registered: registered}
	if r.call.ConfFile != "" {
		c.confFile = r.call.ConfFile
	}
	r.packages[p] = c
	return c
}

// recipe evaluates c's dkms.conf for one kernel, once.
func (r *run) recipe(c *candidate, k kbuild.Kernel) (kbuild.Recipe, error) {
	ref := dkms.Ref{Package: c.Package, KernelID: k.KernelID}
	r.reading.Lock()
	defer r.reading.Unlock()
	if recipe, ok := r.recipes.get(ref); ok {
		return recipe, nil
	}
	cf, err := conf.Load(r.ctx, r.confRequest(c), k)
	if err != nil {
		return kbuild.Recipe{}, err
	}
	if !c.warned {
		for _, w := range cf.Warnings {
			// Who registers it may mend it; who builds it every week, or has a
			// distribution package do so, cannot.
			if !w.Deprecated || !c.registered && r.event == "" || r.talkative() {
				r.console.Warn(w.String())
			}
		}
		c.warned = true
	}
	c.postAdd = cf.PostAdd
	recipe, err := cf.Resolve(k)
	if err != nil {
		return kbuild.Recipe{}, err
	}
	r.recipes.put(ref, recipe)
	return recipe, nil
}

func (r *run) confRequest(c *candidate) conf.Request {
	request := conf.Request{
		Package: c.Package,
		File:    c.confFile,
		EtcDir:  etcDir,
		Trees:   conf.Trees{DKMS: r.tree.Dir, Source: r.tree.SourceDir, Install: r.tree.InstallDir},
		Jobs:    r.jobs(),
	}
	if !c.aside {
		request.Directives = r.call.Directives
	}
	return request
}
