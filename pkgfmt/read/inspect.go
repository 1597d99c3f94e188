package read

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// Options say how far Inspect looks.
type Options struct {
	// Kernels are those for which a dkms.conf is evaluated.
	Kernels []kbuild.Kernel
	// Symbols lists the symbols of modules; otherwise they are counted.
	Symbols bool

	patience time.Duration // with a command of a dkms.conf; 0 is 2 s
}

// Inspect reads the package at path whole: what it says of itself, what its
// kernel modules say, and what a dkms.conf in it means for kernels. The errors
// are those of Open and Walk; what is wrong with a module or with a dkms.conf is
// in the report.
func Inspect(path string, kernels []kbuild.Kernel) (*Report, error) {
	return Options{Kernels: kernels}.Inspect(context.Background(), path)
}

// Inspect is the function Inspect with options.
func (o Options) Inspect(ctx context.Context, path string) (*Report, error) {
	p := &Package{Path: path}
	in := &inspection{symbols: o.Symbols, modules: []ModuleReport{}}
	err := p.withFile(func(f *os.File) error {
		if p.Format == pkgfmt.Deb {
			return p.readDeb(f, in.visit)
		}
		if err := p.readRPM(f); err != nil {
			return err
		}
		return p.walkRPM(f, in.visit)
	})
	if err != nil {
		return nil, err
	}
	r := reportOf(p)
	r.Modules = in.inOrder()
	if r.Sources, err = o.readSources(ctx, p, in.confs); err != nil {
		return nil, err
	}
	return r, nil
}

// An inspection collects what passes by.
type inspection struct {
	symbols bool
	modules []ModuleReport
	confs   []source
}

func (in *inspection) visit(f File, body io.Reader) error {
	if !f.Regular() {
		return nil
	}
	if isModule(f.Path) {
		in.modules = append(in.modules, readModule(f, body, in.symbols))
		return nil
	}
	if dir, ok := sourceDir(f.Path); ok {
		text, err := io.ReadAll(io.LimitReader(body, maxConf+1))
		in.confs = append(in.confs, source{dir: dir, text: text})
		return err
	}
	return nil
}
