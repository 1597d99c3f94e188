package kbuild

import (
	"context"
	"os"
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// Cache keeps what one build has made, stripped, but neither signed nor
// compressed, for another that is made from the same.
type Cache interface {
	// Get puts the files into dir; false: there are none.
	Get(dir string) (found bool, err error)
	// Put keeps the named files in dir.
	Put(dir string, names []string) error
}

// restored stages what the cache holds, verified like what make has made; false:
// it has to be built.
func (b *builder) restored(context.Context) (bool, error) {
	if !b.cacheable() {
		return false, nil
	}
	dir := filepath.Join(b.stage, "module")
	found, err := b.job.Cache.Get(dir)
	if err == nil && found {
		err = b.verifyRestored()
	}
	if err != nil {
		b.warn("the cache: " + err.Error())
		b.result.Modules = nil
		if err := os.RemoveAll(b.stage); err != nil {
			return false, err
		}
		return false, b.makeStage()
	}
	if found {
		b.result.Cached = true
		b.log.note("nothing is compiled: the modules are from the cache")
	}
	return found, nil
}

// cacheable reports whether there is nothing but files that a build leaves:
// POST_BUILD may do anything.
func (b *builder) cacheable() bool { return b.job.Cache != nil && b.job.Recipe.PostBuild == "" }

func (b *builder) verifyRestored() error {
	symvers, err := b.symversOf(filepath.Join(b.stage, "module", symversName))
	if err != nil {
		return err
	}
	for _, m := range b.job.Recipe.Modules {
		if err := b.verify(m, b.staged(m.Dest+".ko"), b.expect(symvers)); err != nil {
			return err
		}
	}
	return nil
}

// keep puts the modules into the cache. That this fails costs time only.
func (b *builder) keep(context.Context) error {
	if !b.cacheable() {
		return nil
	}
	var names []string
	for _, m := range b.result.Modules {
		names = append(names, m.File)
	}
	if system.Exists(b.staged(symversName)) {
		names = append(names, symversName)
	}
	if err := b.job.Cache.Put(filepath.Join(b.stage, "module"), names); err != nil {
		b.warn("the cache: " + err.Error())
	}
	return nil
}

// expect is what modules of this build must be.
func (b *builder) expect(symvers []ko.Symvers) ko.Expect {
	return ko.Expect{
		Release: b.wantedRelease(), Arch: b.job.Recipe.Arch,
		Modversions: b.job.Kernel.Config.Set("CONFIG_MODVERSIONS"), Symvers: symvers,
	}
}
