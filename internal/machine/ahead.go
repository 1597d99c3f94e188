package machine

import (
	"context"
	"runtime"
	"sync"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// evaluated is what came of a dkms.conf for one kernel.
type evaluated struct {
	conf *conf.Conf
	err  error
}

// Ahead evaluates the dkms.conf of each ref that is registered, as many at a time
// as there are processors. Recipe tells what came of it when it is asked, so that
// the order in which things are said stays the same.
func (m *Machine) Ahead(ctx context.Context, refs []dkms.Ref) {
	processors := runtime.GOMAXPROCS(0)
	if processors < 2 {
		return
	}
	var all sync.WaitGroup
	slots := make(chan struct{}, processors)
	for _, ref := range refs {
		k, err := m.Kernel(ref.KernelID)
		if _, known := m.recipes.get(ref); known || err != nil {
			continue // of the error Recipe's caller hears
		}
		c := m.Candidate(ref.Package, m.Tree.SourceLink(ref.Package), true)
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			cf, err := conf.Load(ctx, m.confRequest(c), k)
			m.ahead.put(ref, evaluated{cf, err})
		})
	}
	all.Wait()
}

// evaluate takes what Ahead has found, or evaluates now.
func (m *Machine) evaluate(ctx context.Context, c *Candidate, k kbuild.Kernel) (*conf.Conf, error) {
	if e, ok := m.ahead.take(dkms.Ref{Package: c.Package, KernelID: k.KernelID}); ok {
		return e.conf, e.err
	}
	return conf.Load(ctx, m.confRequest(c), k)
}
