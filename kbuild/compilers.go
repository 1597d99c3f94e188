package kbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild/probe"
)

// compilers puts the job's cache before the compilers, and has kernels' makes
// remember what compilers answer. Neither changes what is built, so where one
// of them cannot be had, the build goes on without.
func (b *builder) compilers(ctx context.Context) {
	bin := filepath.Join(b.job.Scratch, "bin")
	if cache := b.job.CompilerCache; cache != "" {
		if err := linkCompilers(bin, cache, b.env); err != nil {
			b.warn(fmt.Sprintf("compilers run without %s: %v", cache, err))
		}
	}
	if b.job.Probes == nil {
		return
	}
	session, err := b.job.Probes.Start(ctx, probe.Build{Kernel: b.job.Kernel.Source, Bin: bin, Env: b.env})
	if err != nil {
		b.log.note("what the compiler answers is not remembered: %v", err)
		return
	}
	b.probes = session
	b.env = append(b.env, session.Environ()...)
}

// learn keeps what the compiler answered in a build that succeeded.
func (b *builder) learn(ctx context.Context) {
	if b.probes == nil {
		return
	}
	if err := b.probes.Learn(ctx); err != nil {
		b.log.note("what the compiler answered is not remembered: %v", err)
	}
}

// compilerNames are the programs that a cache goes before. gcc-ar and its like
// are none.
var compilerNames = lazily(`^([\w.]+-)*(gcc|cc|clang)(-[0-9.]+)?$`)

// linkCompilers makes links to cache in bin, one for each compiler in env's
// PATH: ccache(1) runs the next program of the name by which it was called.
// Whoever names a compiler by its path gets that.
func linkCompilers(bin, cache string, env []string) error {
	program, err := system.LookPath(cache, env)
	if err != nil {
		return err
	}
	if !system.Executable(program) { // a path is taken as it is
		return errors.New("is not there, or no program")
	}
	for _, dir := range filepath.SplitList(pathFrom(env)) {
		list, _ := os.ReadDir(dir) // of a directory that is not there, nothing
		for _, d := range list {
			link := filepath.Join(bin, d.Name())
			if !compilerNames().MatchString(d.Name()) || system.Exists(link) || !system.Executable(filepath.Join(dir, d.Name())) {
				continue
			}
			if err := os.Symlink(program, link); err != nil {
				return err
			}
		}
	}
	return nil
}
