package rpmbox

import (
	"strings"
	"testing"
	"text/template"
)

// A Kernel is one of the stub kernels: named as Fedora names them, built
// against a Debian's headers.
type Kernel struct {
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
func (k Kernel) Uname() string {
	if k.Named != "" {
		return k.Named
	}
	return k.Version + "-" + k.Release + ".x86_64"
}

// Common is where the headers' Makefile lies.
func (k Kernel) Common() string {
	flavour := strings.TrimSuffix(strings.TrimSuffix(k.Headers, "-amd64"), "-cloud")
	return flavour + "-common"
}

// Core names the kernel's package.
func (k Kernel) Core() string { return "kernel-core-" + k.Version }

// Devel names the package of its headers.
func (k Kernel) Devel() string { return "kernel-devel-" + k.Version }

// Preamble is what all specs begin with. Nothing is to be found out by looking
// at the files: a shebang would become a Requires.
const Preamble = `
%define __os_install_post %{nil}
%define debug_package %{nil}
Name: {{.Name}}
Version: {{.Version}}
Release: {{.Release}}
Summary: stub
License: MIT
AutoReqProv: no
`

// Farm makes the headers $s: links to a Debian's, but for the release.
const Farm = `h=/usr/src/{{.Headers}}
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
` + Farm + `
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

// hostSpec provides what the Debian around has.
const hostSpec = Preamble + `BuildArch: noarch
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
const matchedSpec = Preamble + `BuildArch: noarch
Provides: kernel-devel-matched = 0
%description
stub
%files
`

// Render fills a spec file in.
func Render(tb testing.TB, text string, data any) string {
	tb.Helper()
	var b strings.Builder
	if err := template.Must(template.New("spec").Parse(text)).Execute(&b, data); err != nil {
		tb.Fatal(err)
	}
	return strings.TrimLeft(b.String(), "\n")
}
