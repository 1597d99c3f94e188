//go:build e2e

package e2e

import "testing"

var badOptions = []badCase{
	{name: "unknown option", args: words("add --frobnicate"), status: 2, says: `--frobnicate`},
	{name: "unknown action", args: words("frobnicate bad/1.0"), status: 2, says: `frobnicate`},
	{name: "short option with =", args: words("build bad/1.0 -k={K}"), status: 2, says: `-k`},
	{name: "option without its value", args: words("add -m"), status: 2, says: `-m`},
	{name: "two actions", args: words("add build bad/1.0"), status: 4, says: `add.*build`},
	{name: "kernel and all", args: words("remove bad/1.0 -k {K} --all"), status: 2, says: `--all`},
	{name: "arch and all", args: words("remove bad/1.0 -a x86_64 --all"), status: 3, says: `--all`},
	{name: "more archs than kernels", args: words("build bad/1.0 -k {K} -a x86_64 -a i686"), status: 1},
	{name: "all where it does not fit", args: words("build bad/1.0 --all"), status: 5, says: `--all`},
	{name: "two kernels for a hook", args: words("kernel_postinst -k {K} -k {C}"), status: 4},
	{name: "no kernel for a hook", args: words("kernel_postinst"), status: anyFailure},
	{name: "source only and binaries only", args: words("mktarball bad/1.0 --source-only --binaries-only"), status: 8},
	{name: "match without template", args: words("match -k {K}"), status: 1},
	{name: "match of itself", args: words("match --templatekernel {K} -k {K}"), status: 2},
	{name: "directive without =", args: words("build bad/1.0 -k {K} --directive NONSENSE"), status: anyFailure, says: `NONSENSE`},
	{name: "jobs not a number", args: words("build bad/1.0 -k {K} -j many"), status: 2, says: `many`},
}

var badNames = []badCase{
	{name: "no name", args: words("add"), status: 1},
	{name: "no version", args: words("build -m bad -k {K}"), status: 1},
	{name: "empty name", args: []string{"add", "-m", "", "-v", "1.0"}, status: 1},
	{name: "empty version", args: []string{"add", "-m", "bad", "-v", ""}, status: 1},
	{name: "name climbs", args: []string{"add", "-m", "../x", "-v", "1.0"}, status: 1, says: `\.\.`},
	{name: "name is dots", args: []string{"add", "-m", "..", "-v", "1.0"}, status: 1},
	{name: "version climbs", args: []string{"remove", "-m", "bad", "-v", "../../../usr", "--all"}, status: 1, says: `\.\./`},
	{name: "name with a blank", args: []string{"add", "-m", "a b", "-v", "1.0"}, status: 1},
	{name: "name with a line end", args: []string{"add", "-m", "a\nb", "-v", "1.0"}, status: 1},
	{name: "name with an escape sequence", args: []string{"add", "-m", "\x1b[31mred", "-v", "1.0"}, status: 1, says: `^[^\x1b]*$`},
	{name: "kernel climbs", args: []string{"build", "bad/1.0", "-k", "../../etc"}, status: anyFailure, says: `\.\.`},
	{name: "kernel empty", args: []string{"build", "bad/1.0", "-k", ""}, status: anyFailure},
	{name: "arch climbs", args: []string{"build", "bad/1.0", "-k", "{K}/../../.."}, status: anyFailure},
	{name: "remove of what is not there", args: words("remove nothing/1.0 --all"), status: 3, says: `nothing/1\.0`},
	{name: "uninstall of what is not there", args: words("uninstall bad/2.0 -k {K}"), status: 3, says: `bad/2\.0`},
	{name: "added already", args: words("add bad/1.0"), status: 3, says: `bad/1\.0`},
}

var badConfs = []badCase{
	{name: "conf missing", arrange: shell("rm /usr/src/bad-1.0/dkms.conf"), args: words("build bad/1.0 -k {K}"), status: 4, says: `dkms\.conf`},
	{name: "conf is a folder", arrange: shell("rm /usr/src/bad-1.0/dkms.conf; mkdir /usr/src/bad-1.0/dkms.conf"), args: words("build bad/1.0 -k {K}"), status: anyFailure, says: `dkms\.conf`},
	{name: "conf is binary", arrange: wholeConf("\x7fELF\x00\x01\x02PACKAGE_NAME=x"), args: words("build bad/1.0 -k {K}"), status: 8, says: `dkms\.conf`},
	{name: "conf is empty", arrange: wholeConf(""), args: words("build bad/1.0 -k {K}"), status: 8, says: `PACKAGE_NAME`},
	// As in bash, what comes before a syntax error counts: here that is nothing.
	{name: "open quote", arrange: wholeConf("PACKAGE_NAME=\"bad\nPACKAGE_VERSION=1.0\n"), args: words("build bad/1.0 -k {K}"), status: 8, says: `dkms\.conf:\d+: `},
	{name: "no package name", arrange: wholeConf("PACKAGE_VERSION=1.0\nBUILT_MODULE_NAME=bad\nDEST_MODULE_LOCATION=/updates\n"), args: words("build bad/1.0 -k {K}"), status: 8, says: `PACKAGE_NAME`},
	{name: "hole", arrange: conf("BUILT_MODULE_NAME[2]=more\nDEST_MODULE_LOCATION[2]=/updates\nDEST_MODULE_LOCATION[1]=/updates\n"), args: words("build bad/1.0 -k {K}"), status: 8, says: `BUILT_MODULE_NAME\[1\]`},
	{name: "name ends in .ko", arrange: conf("BUILT_MODULE_NAME=bad.ko\n"), args: words("build bad/1.0 -k {K}"), status: 8, says: `bad\.ko`},
	{name: "no destination", arrange: conf("unset DEST_MODULE_LOCATION\n"), args: words("build bad/1.0 -k {K}"), status: 8, says: `DEST_MODULE_LOCATION`},
	{name: "destination elsewhere", arrange: conf("DEST_MODULE_LOCATION=/etc\n"), args: words("install bad/1.0 -k {K}"), status: 8, says: `DEST_MODULE_LOCATION`},
	{name: "destination climbs", arrange: conf("DEST_MODULE_LOCATION=/updates/../../../../etc\n"), args: words("install bad/1.0 -k {K}"), status: 8, says: `DEST_MODULE_LOCATION`},
	{name: "two modules with one name", arrange: conf("BUILT_MODULE_NAME[1]=more\nDEST_MODULE_NAME[1]=bad\nDEST_MODULE_LOCATION[1]=/updates\n"), args: words("build bad/1.0 -k {K}"), status: 8, says: `bad`},
	{name: "destination name climbs", arrange: conf("DEST_MODULE_NAME=../../../../../../etc/bad\n"), args: words("install bad/1.0 -k {K}"), status: anyFailure, says: `DEST_MODULE_NAME`},
	{name: "neither yes nor no", arrange: conf("AUTOINSTALL=perhaps\n"), args: words("build bad/1.0 -k {K}"), status: 8, says: `AUTOINSTALL`},
	{name: "three problems", arrange: conf("AUTOINSTALL=perhaps\nDEST_MODULE_LOCATION=/etc\nNO_WEAK_MODULES=never\n"), args: words("build bad/1.0 -k {K}"), status: 8,
		says: `(?s)(AUTOINSTALL.*DEST_MODULE_LOCATION|DEST_MODULE_LOCATION.*AUTOINSTALL).*NO_WEAK_MODULES|NO_WEAK_MODULES.*(AUTOINSTALL|DEST_MODULE)`},
	{name: "exclusive expression is none", arrange: conf("BUILD_EXCLUSIVE_KERNEL='^(6['\n"), args: words("build bad/1.0 -k {K}"), status: anyFailure, says: `BUILD_EXCLUSIVE_KERNEL`},
	{name: "excluded", arrange: conf("BUILD_EXCLUSIVE_KERNEL='^5'\n"), args: words("build bad/1.0 -k {K}"), status: 77, says: `BUILD_EXCLUSIVE_KERNEL`},
	{name: "add of an invalid one", arrange: func(_ *testing.T, m machine) { m.Write("/usr/src/worse-1/dkms.conf", "PACKAGE_NAME=worse\n") }, args: words("add worse/1"), status: 8, says: `PACKAGE_VERSION`},
	{name: "add of a folder with a hostile name", arrange: func(_ *testing.T, m machine) {
		m.Write("/root/worse/dkms.conf", "PACKAGE_NAME=../../etc\nPACKAGE_VERSION=1\nBUILT_MODULE_NAME=x\nDEST_MODULE_LOCATION=/updates\n")
	}, args: words("add /root/worse"), status: anyFailure, says: `\.\./`},
	{name: "conf that never ends", arrange: conf("while :; do :; done\n"), args: words("build bad/1.0 -k {K}"), status: anyFailure, says: `dkms\.conf`, long: true},
}

var badSources = []badCase{
	{name: "no source", args: words("add nothing/1.0"), status: 2, says: `/usr/src/nothing-1\.0`},
	{name: "empty source", arrange: shell("mkdir /usr/src/worse-1"), args: words("add worse/1"), status: 8, says: `/usr/src/worse-1`},
	{name: "source without conf", arrange: shell("mkdir /usr/src/worse-1; touch /usr/src/worse-1/x"), args: words("add worse/1"), status: 4, says: `dkms\.conf`},
	{name: "source is a file", arrange: shell("touch /usr/src/worse-1"), args: words("add worse/1"), status: anyFailure, says: `/usr/src/worse-1`},
	{name: "source link dangles", arrange: shell("rm -r /usr/src/bad-1.0"), args: words("build bad/1.0 -k {K}"), status: 4, says: `bad/1\.0`},
	{name: "folder that is not there", args: words("add /root/no-such"), status: 2, says: `/root/no-such`},
	{name: "build of an unknown one", args: words("build nothing/1.0 -k {K}"), status: 2, says: `nothing`},
}

var badBuilds = []badCase{
	{name: "no such kernel", args: words("install bad/1.0 -k 9.9.9-none"), status: 21, says: `9\.9\.9-none`},
	{name: "dangling headers", arrange: shell("ln -sfn /nowhere /lib/modules/{C}/build"), restore: func(m machine) {
		m.Must("ln", "-sfn", "/usr/src/linux-headers-"+m.cloud, "/lib/modules/"+m.cloud+"/build")
	}, args: words("install bad/1.0 -k {C}"), status: 21, says: `dangling|/nowhere`},
	{name: "dependency missing", arrange: conf("BUILD_DEPENDS=nothing-at-all\n"), args: words("build bad/1.0 -k {K}"), status: 13, says: `nothing-at-all`},
	{name: "patch missing", arrange: conf("PATCH=none.patch\n"), args: words("build bad/1.0 -k {K}"), status: 5, says: `none\.patch`, logs: true},
	{name: "patch climbs", arrange: conf("PATCH=../../../etc/passwd\n"), args: words("build bad/1.0 -k {K}"), status: 5, says: `\.\.`, logs: true},
	{name: "patch does not apply", arrange: file("patches/x.patch", "--- a/bad.c\n+++ b/bad.c\n@@ -1,2 +1,2 @@\n-no such line\n+a line\n more\n", "PATCH=x.patch\n"), args: words("build bad/1.0 -k {K}"), status: 6, says: `x\.patch`, logs: true},
	{name: "compiler error", arrange: file("bad.c", goodSource+"int f(void) { return no_such_thing; }\n", ""), args: words("build bad/1.0 -k {K}"), status: 10, says: `(?s)bad\.c:6:.*no_such_thing.*make\.log`, logs: true},
	{name: "make without a rule", arrange: conf("MAKE='make no-such-rule'\n"), args: words("install bad/1.0 -k {K}"), status: 10, logs: true},
	{name: "produces another module", arrange: conf("BUILT_MODULE_NAME=other\n"), args: words("install bad/1.0 -k {K}"), status: 7, says: `(?s)other.*bad\.ko|bad\.ko.*other`, logs: true},
	{name: "built for another kernel", arrange: func(t *testing.T, m machine) {
		conf("MAKE='make -C /lib/modules/"+m.cloud+"/build M=$dkms_tree/bad/1.0/build'\n")(t, m)
	}, args: words("install bad/1.0 -k {K}"), status: 7, says: `built for`, logs: true},
	{name: "PRE_BUILD fails", arrange: file("pre.sh", "#!/bin/sh\nexit 3\n", "PRE_BUILD=pre.sh\n"), args: words("build bad/1.0 -k {K}"), status: 3, says: `PRE_BUILD|pre\.sh`, logs: true},
	{name: "POST_BUILD fails", arrange: file("post.sh", "#!/bin/sh\ntouch $dkms_tree/bad/1.0/$kernelver/$arch/half\nexit 42\n", "POST_BUILD=post.sh\n"), args: words("build bad/1.0 -k {K}"), status: 42, says: `POST_BUILD|post\.sh`, logs: true},
	{name: "mktarball of something not built", args: words("mktarball bad/1.0 -k {K}"), status: 6, says: `bad/1\.0`},
}
