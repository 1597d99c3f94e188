package recipe

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// An anyKernel is what a dkms.conf builds, for a kernel that is on no machine:
// the words that stand for it can be found in the texts again.
type anyKernel struct {
	kbuild.Recipe
	kernel  kbuild.Kernel
	trees   conf.Trees
	patches []patch
}

// A patch is applied where its expression is found in the kernel's release.
type patch struct {
	File  string
	Match string // an extended regular expression; empty: any
}

// releases are kernels that nobody has, the first that the dkms.conf is for is
// taken: it may be for new or for old ones only, or for one architecture.
var releases = []dkms.KernelID{
	{Release: "6.12.0-0.mkpkg.x86_64", Arch: "x86_64"}, {Release: "5.14.0-0.mkpkg.x86_64", Arch: "x86_64"}, {Release: "4.18.0-0.mkpkg.x86_64", Arch: "x86_64"},
	{Release: "7.9.0-0.mkpkg.x86_64", Arch: "x86_64"}, {Release: "6.12.0-0.mkpkg.aarch64", Arch: "aarch64"}, {Release: "3.10.0-0.mkpkg.x86_64", Arch: "x86_64"},
}

// regardless lifts what a dkms.conf says of kernels; some ask for files of one.
var regardless = []string{"BUILD_EXCLUSIVE_KERNEL=", "BUILD_EXCLUSIVE_ARCH=", "BUILD_EXCLUSIVE_KERNEL_MIN=", "BUILD_EXCLUSIVE_KERNEL_MAX=", "OBSOLETE_BY="}

// anyBuild evaluates the dkms.conf. It may start only programs that read.
func anyBuild(d *source.Description) (*anyKernel, error) {
	var b *anyKernel
	var err error
	for _, id := range releases {
		if b, err = buildFor(d, id, nil); !isExcluded(err) {
			return b, err
		}
	}
	return buildFor(d, releases[0], regardless)
}

func isExcluded(err error) bool {
	var e *dkms.Error
	return errors.As(err, &e) && e.Kind == dkms.Excluded
}

func buildFor(d *source.Description, id dkms.KernelID, directives []string) (*anyKernel, error) {
	b := &anyKernel{trees: conf.Trees{DKMS: "/var/lib/dkms", Source: "/usr/src", Install: "/lib/modules"}}
	b.kernel = kbuild.Kernel{KernelID: id, Source: "/lib/modules/" + id.Release + "/build", ConfigFile: "/lib/modules/" + id.Release + "/build/.config"}
	file := filepath.Join(d.Dir, "dkms.conf")
	c, err := conf.Load(context.Background(), conf.Request{Package: d.DKMS, File: file, Directives: directives, Trees: b.trees, NoJobs: true, Programs: conf.Harmless()}, b.kernel)
	if err != nil {
		return nil, err
	}
	if b.Recipe, err = c.Resolve(b.kernel); err != nil {
		return nil, err
	}
	if len(b.Modules) == 0 {
		return nil, &dkms.Error{Kind: dkms.ConfInvalid, Object: file, Problem: "has no module: there is nothing for a package of compiled modules"}
	}
	for _, i := range c.Values["PATCH"].Indexes() {
		if name := c.Values["PATCH"][i]; name != "" {
			b.patches = append(b.patches, patch{"patches/" + name, c.Values["PATCH_MATCH"][i]})
		}
	}
	return b, nil
}

// macros is a command with macros and variables for what stands for the kernel
// and for dkms's directories.
func (b *anyKernel) macros(command string) string {
	build := filepath.Join(b.trees.DKMS, b.Name, b.Version, "build")
	return strings.NewReplacer(
		build, "$PWD", filepath.Join(b.trees.Source, b.Name+"-"+b.Version), "$PWD",
		b.kernel.Source, "%{kernel_source}", b.kernel.Release, "%{kernel_version}", "%", "%%", "\n", " ",
	).Replace(command)
}

// parallel has a plain make use what rpmbuild allows.
func parallel(command string) string {
	if rest, ok := strings.CutPrefix(command, "make "); ok {
		return "make %{?_smp_mflags} " + rest
	}
	return command
}
