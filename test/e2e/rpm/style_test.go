//go:build e2e

package rpm

// The ways in which distribution packages call DKMS from their scriptlets, as
// seen in the wild. rpm runs the new package's %post before the old one's
// %preun, on an upgrade as on a reinstallation and a downgrade.
var (
	// native is what packages that know us do.
	native = style{name: "native", rpm: "MODULE-dkms", needs: "dkms-hook", scripts: `
%post
dkms-hook register -m %{M} -v %{version} || :
%preun
if [ "$1" = 0 ]; then dkms-hook remove -m %{M} -v %{version} --all || :; else dkms-hook retire -m %{M} -v %{version} || :; fi
`}
	// openzfs removes every version before the new one comes, and on an upgrade
	// nothing after it.
	openzfs = style{name: "openzfs", rpm: "MODULE-dkms", needs: "dkms >= 2.2.0.3", scripts: `
%pre
for v in /var/lib/dkms/%{M}/[0-9]*; do
	[ -d "$v" ] || continue
	dkms remove -m %{M} -v "${v##*/}" --all || :
done
%post
dkms add -m %{M} -v %{version} --rpm_safe_upgrade || :
dkms install -m %{M} -v %{version} --force || :
%preun
[ "$1" = 0 ] || exit 0
dkms remove -m %{M} -v %{version} --all --rpm_safe_upgrade
`}
	// negativo17 trusts --rpm_safe_upgrade.
	negativo17 = style{name: "negativo17", rpm: "dkms-MODULE", needs: "dkms", scripts: `
%post
dkms add -m %{M} -v %{version} -q --rpm_safe_upgrade || :
dkms build -m %{M} -v %{version} -q --force
dkms install -m %{M} -v %{version} -q --force
%preun
dkms remove -m %{M} -v %{version} -q --all --rpm_safe_upgrade || :
`}
	// nvidia does not know of --rpm_safe_upgrade: with DKMS itself, a new
	// release of the same version ends with no module at all.
	nvidia = style{name: "nvidia", rpm: "kmod-MODULE-latest-dkms", needs: "dkms", scripts: `
%post
dkms add -m %{M} -v %{version} || :
dkms build -m %{M} -v %{version} || :
dkms install -m %{M} -v %{version} --force || :
%preun
dkms remove -m %{M} -v %{version} --all || :
`}
	// mkrpm is what DKMS's own action of that name made once.
	mkrpm = style{name: "mkrpm", rpm: "MODULE", needs: "dkms >= 1.95", scripts: `
%post
[ -x /usr/lib/dkms/common.postinst ] || exit 1
exec /usr/lib/dkms/common.postinst %{M} %{version} /usr/share/%{M} "" "$1"
%preun
dkms remove -m %{M} -v %{version} --all --rpm_safe_upgrade
exit 0
`}
)
