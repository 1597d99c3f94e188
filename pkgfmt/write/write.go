package write

import (
	"context"
	"fmt"
	"io"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// FileName returns the name under which a package's format wants it kept:
// deb-name_version_arch(dpkg-name(1)), or NAME-VERSION-RELEASE.ARCH.rpm. Neither
// has the epoch.
func FileName(p pkgfmt.Package) string {
	v := p.Version.Upstream
	if p.Version.Revision != "" {
		v += "-" + p.Version.Revision
	}
	switch p.Format {
	case pkgfmt.Deb:
		return fmt.Sprintf("%s_%s_%s.deb", p.Name, v, p.Arch)
	case pkgfmt.SourceRPM:
		return fmt.Sprintf("%s-%s.src.rpm", p.Name, v)
	default:
		return fmt.Sprintf("%s-%s.%s.rpm", p.Name, v, p.Arch)
	}
}

// To writes p to w, unsigned. The error is of Kind Usage when p is nothing that
// its format can hold, and w got nothing then.
func To(p pkgfmt.Package, w io.Writer) error {
	if err := Check(p); err != nil {
		return err
	}
	return to(context.Background(), p, w, job{})
}

// A job is what the writers need besides the package.
type job struct {
	sign    *Key
	records *[]record // where regular files are told; nil: nowhere
	// scratch is where the compressed payload waits for the headers, which
	// stand before it and tell its digest; empty: the usual place.
	scratch string
}

// to writes p, which has been checked.
func to(ctx context.Context, p pkgfmt.Package, w io.Writer, j job) error {
	if p.Format == pkgfmt.Deb {
		return writeDeb(ctx, p, w, j)
	}
	return writeRPM(ctx, p, w, j)
}

// refuse is the error for what a package cannot be.
func refuse(object, problem string, args ...any) error {
	return &dkms.Error{Kind: dkms.Usage, Object: object, Problem: fmt.Sprintf(problem, args...)}
}
