package conf

import (
	"context"
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// Identify reads PACKAGE_NAME and PACKAGE_VERSION of a dkms.conf that is not
// registered yet, as for `dkms add DIR`. What r.Package names already is taken
// as it is (-v wins over PACKAGE_VERSION); nothing but name and version is
// judged. The errors are those of Load.
func Identify(ctx context.Context, r Request, k kbuild.Kernel) (dkms.Package, error) {
	e := newEvaluation(r, k)
	defer e.close()
	_, values, err := e.evaluate(ctx)
	if err != nil {
		return dkms.Package{}, err
	}
	c := &Conf{Values: values, request: r, where: e.where}
	c.PackageName, c.PackageVersion = c.Values.Get("PACKAGE_NAME"), c.Values.Get("PACKAGE_VERSION")
	problems := slices.Concat(e.problems, c.validateIdentity())
	if len(problems) > 0 {
		return c.Package(), c.invalid(slices.Concat(e.warnings, problems))
	}
	return c.Package(), nil
}
