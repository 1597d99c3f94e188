package write

import "path"

// OwnDirectory reports whether an RPM with files in dir owns dir: all but what
// is there before, or comes with others. RPM removes only what a package names,
// so a directory that nobody owns is left behind; one that two own goes with
// the second.
func OwnDirectory(dir string) bool {
	if shared[dir] {
		return false
	}
	parent := path.Dir(dir)
	switch path.Dir(parent) {
	case "/usr/share/man": // of a language
		return false
	}
	switch parent {
	case "/lib/modules", "/usr/lib/modules": // of a kernel
		return false
	case "/usr/share/man":
		return false
	}
	return true
}

// shared are the directories of the package filesystem and of those that
// drivers put files into, with all above them.
var shared = above(
	"/boot", "/dev", "/home", "/lib", "/lib64", "/opt", "/root", "/run", "/sbin", "/bin", "/srv", "/tmp",
	"/etc/bash_completion.d", "/etc/default", "/etc/depmod.d", "/etc/dkms", "/etc/dracut.conf.d",
	"/etc/initramfs-tools/hooks", "/etc/kernel/header_postinst.d", "/etc/kernel/install.d", "/etc/kernel/postinst.d",
	"/etc/kernel/postrm.d", "/etc/kernel/preinst.d", "/etc/kernel/prerm.d", "/etc/logrotate.d", "/etc/modprobe.d",
	"/etc/modules-load.d", "/etc/sysconfig", "/etc/sysctl.d", "/etc/systemd/system", "/etc/udev/rules.d", "/etc/X11/xorg.conf.d",
	"/lib/depmod.d", "/lib/firmware", "/lib/modprobe.d", "/lib/modules", "/lib/modules-load.d", "/lib/systemd/system", "/lib/udev/rules.d",
	"/usr/bin", "/usr/games", "/usr/include", "/usr/lib64", "/usr/libexec", "/usr/local", "/usr/sbin", "/usr/tmp",
	"/usr/lib/debug/lib/modules", "/usr/lib/debug/usr/lib/modules", "/usr/lib/depmod.d", "/usr/lib/dracut/dracut.conf.d",
	"/usr/lib/dracut/modules.d", "/usr/lib/firmware", "/usr/lib/kernel/install.d", "/usr/lib/modprobe.d", "/usr/lib/modules",
	"/usr/lib/modules-load.d", "/usr/lib/sysctl.d", "/usr/lib/systemd/system", "/usr/lib/systemd/system-preset",
	"/usr/lib/systemd/user", "/usr/lib/sysusers.d", "/usr/lib/tmpfiles.d", "/usr/lib/udev/hwdb.d", "/usr/lib/udev/rules.d",
	"/usr/share/bash-completion/completions", "/usr/share/doc", "/usr/share/fish/vendor_completions.d", "/usr/share/info",
	"/usr/share/initramfs-tools/hooks", "/usr/share/licenses", "/usr/share/man", "/usr/share/metainfo", "/usr/share/misc",
	"/usr/share/X11/xorg.conf.d", "/usr/share/zsh/site-functions", "/usr/share/zsh/vendor-completions",
	"/usr/src/debug", "/usr/src/kernels", "/var/cache", "/var/lib", "/var/log", "/var/spool", "/var/tmp",
)

func above(dirs ...string) map[string]bool {
	all := map[string]bool{}
	for _, dir := range dirs {
		for ; dir != "/"; dir = path.Dir(dir) {
			all[dir] = true
		}
	}
	return all
}
