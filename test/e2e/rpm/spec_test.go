//go:build e2e

package rpm

import (
	"strings"

	"github.com/dkms-hook/dkms-hook/test/e2e/rpmbox"
)

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
` + rpmbox.Farm + `
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
const moduleSpec = rpmbox.Preamble + `%define M {{.Module}}
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
MAKE[0]="echo {{.Module}}/{{.Version}} ${kernelver} >>/var/log/compiled; make -j1 -C ${kernel_source_dir} M=${dkms_tree}/{{.Module}}/{{.Version}}/build modules"
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
