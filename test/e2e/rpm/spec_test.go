//go:build e2e

package rpm

import (
	"strings"
	"testing"
	"text/template"
)

// A kernel is one of the stub kernels: named as Fedora names them, built
// against a Debian's headers.
type kernel struct {
	Version, Release string
	// Headers is a folder below /usr/src in the lower root.
	Headers string
	// Named is the release as uname -r has it, if it is not made of the two.
	Named string
	// EntryType has the kernel's %preun remove one type of boot entry, as
	// Fedora's newer kernels do.
	EntryType bool
}

// Uname is the kernel's release as uname -r has it.
func (k kernel) Uname() string {
	if k.Named != "" {
		return k.Named
	}
	return k.Version + "-" + k.Release + ".x86_64"
}

// Common is where the headers' Makefile lies.
func (k kernel) Common() string {
	flavour := strings.TrimSuffix(strings.TrimSuffix(k.Headers, "-amd64"), "-cloud")
	return flavour + "-common"
}

// core and devel name the kernel's packages.
func (k kernel) core() string  { return "kernel-core-" + k.Version }
func (k kernel) devel() string { return "kernel-devel-" + k.Version }

// preamble is what all specs begin with. Nothing is to be found out by looking
// at the files: a shebang would become a Requires.
const preamble = `
%define __os_install_post %{nil}
%define debug_package %{nil}
Name: {{.Name}}
Version: {{.Version}}
Release: {{.Release}}
Summary: stub
License: MIT
AutoReqProv: no
`

// farm makes the headers $s: links to a Debian's, but for the release.
const farm = `h=/usr/src/{{.Headers}}
d=%{buildroot}$s
mkdir -p $d/include/generated
sed "s|$h|$s|" $h/Makefile >$d/Makefile # newer ones have an absolute KBUILD_OUTPUT
for f in .config .kernelvariables Module.symvers arch scripts tools include/config; do ln -s $h/$f $d/$f; done
for f in $h/include/generated/*; do ln -s $f $d/include/generated; done
rm $d/include/generated/utsrelease.h
echo '#define UTS_RELEASE "%{K}"' >$d/include/generated/utsrelease.h`

// kernelSpec has the scriptlets of Fedora's kernel. As there, the link build
// belongs to kernel-core, and dangles until kernel-devel comes.
const kernelSpec = `
%define K {{.Uname}}
%define __os_install_post %{nil}
%define debug_package %{nil}
Name: kernel-core
Version: {{.Version}}
Release: {{.Release}}
Summary: stub kernel
License: MIT
AutoReqProv: no
Provides: kernel = %{version}-%{release}
{{if not .Named}}Provides: kernel-uname-r = %{K}
Provides: kernel-core-uname-r = %{K}
{{end}}Provides: installonlypkg(kernel)
Requires(pre): coreutils, systemd >= 203-2, /usr/bin/kernel-install
%description
stub
%install
d=%{buildroot}/lib/modules/%{K}
mkdir -p $d/kernel/lib
for f in vmlinuz System.map config modules.builtin modules.builtin.modinfo; do : >$d/$f; done
echo kernel/lib/stub.ko >$d/modules.order
ln -s /usr/src/kernels/%{K} $d/build
ln -s build $d/source

s=/usr/src/kernels/%{K}
` + farm + `
%post
echo "%{K} post" >>/var/log/kernels
%posttrans
echo "%{K} posttrans" >>/var/log/kernels
/bin/kernel-install add %{K} /lib/modules/%{K}/vmlinuz || exit $?
%preun
echo "%{K} preun" >>/var/log/kernels
{{if .EntryType}}KERNEL_INSTALL_BOOT_ENTRY_TYPE=type1 {{end}}/bin/kernel-install remove %{K} || exit $?
%files
/lib/modules/%{K}
%package -n kernel-devel
Summary: stub headers
{{if not .Named}}Provides: kernel-devel-uname-r = %{K}
{{end}}Provides: installonlypkg(kernel)
AutoReqProv: no
%description -n kernel-devel
stub
%files -n kernel-devel
/usr/src/kernels/%{K}
%package -n kernel-devel-matched
Summary: stub of a meta package
Requires: kernel-devel = %{version}-%{release}, kernel-core = %{version}-%{release}
AutoReqProv: no
%description -n kernel-devel-matched
stub
%files -n kernel-devel-matched
`

// suseSpec is a kernel of SUSE: without kernel-install, all below /usr/lib, with
// the link build in the package of the headers.
const suseSpec = `
%define K {{.Uname}}
%define __os_install_post %{nil}
%define debug_package %{nil}
Name: kernel-default
Version: {{.Version}}
Release: {{.Release}}
Summary: stub kernel
License: MIT
Vendor: openSUSE
AutoReqProv: no
Provides: multiversion(kernel)
%description
stub
%install
d=%{buildroot}/usr/lib/modules/%{K}
mkdir -p $d/kernel/lib
for f in vmlinuz System.map config modules.builtin modules.builtin.modinfo; do : >$d/$f; done
echo kernel/lib/stub.ko >$d/modules.order
s=/usr/src/linux-{{.Version}}-obj/x86_64/default
ln -s $s $d/build
` + farm + `
%post
depmod %{K}
%files
%exclude /usr/lib/modules/%{K}/build
/usr/lib/modules/%{K}
%package devel
Summary: stub headers
Provides: multiversion(kernel)
AutoReqProv: no
%description devel
stub
%files devel
/usr/lib/modules/%{K}/build
/usr/src/linux-{{.Version}}-obj
`

// hostSpec provides what the Debian around has.
const hostSpec = preamble + `BuildArch: noarch
Provides: /bin/sh /bin/bash /usr/bin/bash /usr/bin/sh /usr/bin/kernel-install /bin/kernel-install
Provides: /sbin/depmod /usr/sbin/depmod
Provides: bash = 5.2 coreutils = 9 kmod = 30 gcc = 12 make = 4 findutils = 4 systemd = 252 dracut = 59 patch = 2 tar = 1
Provides: sed = 4 grep = 3 gzip = 1 xz = 5 zstd = 1 cpio = 2 file = 5 gawk = 5 diffutils = 3 binutils = 2 openssl = 3 perl = 5 gcc-c++ = 12
Provides: elfutils-libelf-devel = 0.188 which = 2
%description
stub
%files
`

// matchedSpec satisfies who wants headers for the kernels, so that a test can
// have kernels without.
const matchedSpec = preamble + `BuildArch: noarch
Provides: kernel-devel-matched = 0
%description
stub
%files
`

// A module is a stub package of one module, in one edition.
type module struct {
	Module  string // its name, and that of the DKMS package
	Version string
	Release string
	Broken  bool // it does not compile
	Style   style
	// Conf is further text of dkms.conf.
	Conf string
	// Identical has the source say nothing of Release: a rebuild of the
	// distribution package with nothing new in it.
	Identical bool
}

// A style is one of the ways in which distribution packages call DKMS.
type style struct {
	name  string
	rpm   string // name of the distribution package, MODULE in it standing for the module's
	needs string
	// scripts are the scriptlets, %{M} and %{version} in them.
	scripts string
}

// Name is the distribution package's.
func (m module) Name() string { return strings.ReplaceAll(m.Style.rpm, "MODULE", m.Module) }

// Edition tells builds of one DKMS version from each other.
func (m module) Edition() string {
	if m.Identical {
		return m.Version
	}
	return m.Version + "-" + m.Release
}

func (m module) Scripts() string { return m.Style.scripts }
func (m module) Needs() string   { return m.Style.needs }

// file is how dnf is to name exactly this edition.
func (m module) file() string { return m.Name() + "-" + m.Version + "-" + m.Release }

// moduleSpec has the source write a line for every time that it is compiled.
const moduleSpec = preamble + `%define M {{.Module}}
BuildArch: noarch
Requires: {{.Needs}}
Requires(post): {{.Needs}}
Requires(preun): {{.Needs}}
%description
stub
%install
d=%{buildroot}/usr/src/%{M}-%{version}
mkdir -p $d
cat >$d/dkms.conf <<'END'
PACKAGE_NAME="{{.Module}}"
PACKAGE_VERSION="{{.Version}}"
BUILT_MODULE_NAME[0]="{{.Module}}"
DEST_MODULE_LOCATION[0]="/extra"
MAKE[0]="echo {{.Module}}/{{.Version}} ${kernelver} >>/var/log/compiled; make -C ${kernel_source_dir} M=${dkms_tree}/{{.Module}}/{{.Version}}/build modules"
CLEAN="true"
AUTOINSTALL="yes"
{{.Conf}}
END
echo 'obj-m := {{.Module}}.o' >$d/Makefile
cat >$d/{{.Module}}.c <<'END'
#include <linux/module.h>
{{if .Broken}}static int broken = no_such_thing;
{{end}}MODULE_LICENSE("GPL");
MODULE_VERSION("{{.Version}}");
MODULE_INFO(edition, "{{.Edition}}");
END
printf '#!/bin/sh\nexec /usr/local/bin/back\n' >$d/back.sh
chmod 755 $d/back.sh
{{.Scripts}}
%files
/usr/src/%{M}-%{version}
`

func render(tb testing.TB, text string, data any) string {
	tb.Helper()
	var b strings.Builder
	if err := template.Must(template.New("spec").Parse(text)).Execute(&b, data); err != nil {
		tb.Fatal(err)
	}
	return strings.TrimLeft(b.String(), "\n")
}
