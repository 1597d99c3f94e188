package dkms

import "cmp"

// ComparePackages orders packages by name, then by version. 0 is for equals
// only: two spellings of one version stay apart.
func ComparePackages(a, b Package) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), compareStrictly(a.Version, b.Version))
}

// CompareKernels orders kernels by release, then by architecture. 0 is for
// equals only.
func CompareKernels(a, b KernelID) int {
	return cmp.Or(compareStrictly(a.Release, b.Release), cmp.Compare(a.Arch, b.Arch))
}

// CompareRefs orders refs by package, then by kernel.
func CompareRefs(a, b Ref) int {
	return cmp.Or(ComparePackages(a.Package, b.Package), CompareKernels(a.KernelID, b.KernelID))
}

func compareStrictly(a, b string) int { return cmp.Or(CompareVersions(a, b), cmp.Compare(a, b)) }
