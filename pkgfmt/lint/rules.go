package lint

import (
	"slices"
)

// A Rule is one thing that is looked for.
type Rule struct {
	Name     string // stable: people write it into suppressions
	Severity Severity
	Scope    string // what it is about: dkms.conf, tree, package
	Text     string // what is wrong, one line
	Hint     string // what to do about it
}

// The scopes of rules.
const (
	ofConf    = "dkms.conf"
	ofTree    = "tree"
	ofPackage = "package"
)

// Rules returns all rules, in the order of the documentation.
func Rules() []Rule { return slices.Concat(confRules, shellRules, treeRules, packageRules) }

// ruleNamed returns the rule of that name; false when there is none.
func ruleNamed(name string) (Rule, bool) {
	rules := Rules()
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Name == name })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

var confRules = []Rule{
	{"syntax-error", Error, ofConf, "bash cannot parse the dkms.conf, and stops reading where it gives up",
		"bash -n dkms.conf shows the place"},
	{"invalid-directive", Error, ofConf, "a directive is missing or has a value that cannot be used",
		"dkms.conf(5), or section DKMS.CONF of dkms(8), has the directives and their values"},
	{"no-destination", Error, ofConf, "a module has no DEST_MODULE_LOCATION",
		"add DEST_MODULE_LOCATION[N]=\"/updates\" for every BUILT_MODULE_NAME[N]; many distributions put modules elsewhere, but all ask for it"},
	{"odd-directive", Warning, ofConf, "the dkms.conf can be read, but says something that was hardly meant", ""},
	{"unknown-directive", Warning, ofConf, "a variable that nothing uses looks like a misspelt directive",
		"correct the name, or remove the line"},
	{"deprecated-directive", Warning, ofConf, "a directive means nothing to any dkms of today", "remove it"},
	{"deprecated-clean", Note, ofConf, "CLEAN means nothing to dkms 3.2 and later, which build in a fresh copy; dkms 3.0 runs it",
		"remove it, or write CLEAN=true, unless the package is for older versions of dkms"},
	{"bad-name", Error, ofConf, "PACKAGE_NAME cannot become the name of a package",
		"use lower-case letters, digits and + - . and begin with a letter"},
	{"bad-version", Error, ofConf, "PACKAGE_VERSION cannot become the version of a package",
		"use digits, letters and . + ~ and begin with a digit"},
	{"placeholder", Warning, ofConf, "a name or version is a placeholder that something else has to fill",
		"fill it before the tree is used or packaged"},
	{"no-autoinstall", Note, ofConf, "AUTOINSTALL is not set: nothing is built for new kernels by itself",
		"add AUTOINSTALL=\"yes\", unless people are to build by hand"},
	{"own-jobs", Warning, ofConf, "MAKE has a number of jobs of its own, which takes no account of other builds and of memory",
		"leave -j out: `make` gets one, and the dkms.conf may use ${parallel_jobs}"},
	{"make-without-kernel", Warning, ofConf, "MAKE does not say which kernel to build for",
		"pass ${kernelver} or ${kernel_source_dir}: MAKE[0]=\"make KVER=${kernelver}\", by the name that the Makefile has for it"},
	{"never-matches", Warning, ofConf, "an expression fits no kernel, so that what depends on it never happens",
		"expressions are searched for in `uname -r` (6.1.0-49-amd64) and in `uname -m` (x86_64, not amd64)"},
	{"running-kernel", Warning, ofConf, "uname -r is the kernel that runs, which is seldom the one that is built for",
		"use ${kernelver} in dkms.conf, and hand it to make: MAKE[0]=\"make KVER=${kernelver}\" where the Makefile has KVER ?= $(shell uname -r)"},
	{"no-target", Error, ofConf, "MAKE calls a bare make, for which dkms sets KERNELRELEASE, and the Makefile has no target then: every build fails",
		"write 'make', in quotes, or MAKE[0]=\"make -C ${kernel_source_dir} M=${dkms_tree}/${PACKAGE_NAME}/${PACKAGE_VERSION}/build\""},
	{"script-missing", Error, ofConf, "a script that the dkms.conf names is not in the tree, and is never run",
		"add it, or remove the directive; its path is relative to the dkms.conf"},
	{"script-not-executable", Error, ofConf, "a script that the dkms.conf names is not executable, and is never run", "chmod +x"},
	{"patch-missing", Error, ofConf, "a patch that the dkms.conf names is not in patches/: every build fails",
		"add it below patches/, or remove PATCH and its PATCH_MATCH"},
	{"module-not-built", Warning, ofConf, "no Makefile builds what BUILT_MODULE_NAME names",
		"name it as obj-m does, and its directory in BUILT_MODULE_LOCATION"},
	{"unknown-rule", Warning, ofConf, "a comment tells lint to ignore a rule that is not there", "docs/lint-rules.md has the names"},
}

var shellRules = []Rule{
	{"external-program", Warning, ofConf, "reading the dkms.conf starts a program that not every machine has, or that may do more than read",
		"a dkms.conf is read often and as root: write plain values, or leave it to MAKE or PRE_BUILD"},
	{"eval", Warning, ofConf, "eval runs text that only the run tells", "assign values directly"},
	{"sources-file", Warning, ofConf, "the dkms.conf runs a file that is not of the tree as shell",
		"for the kernel's configuration there is BUILD_EXCLUSIVE_CONFIG=\"CONFIG_X !CONFIG_Y\" (dkms 3.0.11)"},
	{"writes-file", Warning, ofConf, "reading the dkms.conf writes a file", "do it in PRE_BUILD or POST_ADD"},
	{"changes-shell", Warning, ofConf, "dkms reads the file in its own shell, and this changes that shell for all that follows",
		"use a subshell, ( … ), or do without"},
	{"assigns-preset", Warning, ofConf, "the dkms.conf changes a variable that dkms sets for it", "use a name of your own"},
	{"shell-program", Note, ofConf, "the dkms.conf is a program rather than a list of values: other tools may read it otherwise", ""},
}

var treeRules = []Rule{
	{"no-conf", Error, ofTree, "there is no dkms.conf", "dkms-mkpkg init writes one"},
	{"bad-config", Error, ofTree, "dkms-mkpkg.yaml has what it may not have: no package can be made", "dkms-mkpkg schema prints what it may have"},
	{"no-licence", Warning, ofTree, "nothing tells the licence: no LICENSE or COPYING, no SPDX tag, no MODULE_LICENSE",
		"add the licence's text as LICENSE, and SPDX-License-Identifier to the sources"},
	{"no-module-license", Error, ofTree, "a module has no MODULE_LICENSE: modpost of newer kernels refuses it",
		"add MODULE_LICENSE(\"GPL\") or what holds for it"},
	{"world-writable", Error, ofTree, "everybody may write what root will compile", "chmod o-w"},
	{"setuid", Error, ofTree, "a file is set-user-ID or set-group-ID", "chmod ug-s"},
	{"absolute-link", Warning, ofTree, "a symbolic link is absolute: it leads elsewhere, or nowhere, on other machines", "link relatively, within the tree"},
	{"link-out-of-tree", Error, ofTree, "a symbolic link leads out of the tree", "copy what it points to"},
	{"dangling-link", Warning, ofTree, "a symbolic link leads nowhere", "remove it, or add what it points to"},
	{"special-file", Error, ofTree, "a device, FIFO or socket cannot be packaged", "remove it"},
	{"odd-file-name", Warning, ofTree, "a file name has control characters or is not UTF-8", "rename it"},
	{"unreadable", Error, ofTree, "a file or directory cannot be read", ""},
	{"build-output", Warning, ofTree, "the tree holds what a build has left: it may be taken for fresh", "make clean, and keep it out by .gitignore or .dkmsignore"},
}

var packageRules = []Rule{
	{"no-modules", Warning, ofPackage, "a package has neither sources in /usr/src nor modules: there is nothing to judge", ""},
	{"source-elsewhere", Error, ofPackage, "a dkms.conf is not in /usr/src/NAME-VERSION, where dkms looks for it", "install the sources in /usr/src/NAME-VERSION"},
	{"directory-differs", Error, ofPackage, "the directory below /usr/src is not PACKAGE_NAME-PACKAGE_VERSION of its dkms.conf",
		"name the directory as the dkms.conf says, or fill PACKAGE_VERSION when the package is made"},
	{"no-dkms-dependency", Error, ofPackage, "a package of sources does not depend on dkms", "deb: Depends: dkms-hook | dkms; rpm: Requires: (dkms-hook or dkms)"},
	{"headers-dependency", Warning, ofPackage, "a package of sources depends on the headers of some kernel, which need not be those of the kernels that are there",
		"leave it to dkms, or recommend them"},
	{"never-built", Warning, ofPackage, "no script of the package adds or builds its modules",
		"deb: call /usr/lib/dkms/common.postinst, as dh_dkms does; rpm: dkms add, build and install in %post"},
	{"never-removed", Warning, ofPackage, "no script of the package removes its modules: they stay behind", "deb: dkms remove in prerm; rpm: in %preun, when $1 is 0"},
	{"loses-modules", Error, ofPackage, "the old package's script removes modules after the new package's %post has built them: an upgrade ends without any",
		"in %preun and %postun: if [ \"$1\" -eq 0 ]; then …, or dkms remove --rpm_safe_upgrade"},
	{"removes-first", Warning, ofPackage, "the new package's script removes the old modules before there are new ones: a build that fails leaves none",
		"remove superseded versions after the new one is installed"},
	{"binary-in-noarch", Error, ofPackage, "a package for all architectures holds a program or library of one", "build it on the target, or make the package of that architecture"},
	{"prebuilt-module", Warning, ofPackage, "a package of sources holds a compiled module", "remove it: dkms builds its own"},
	{"owner", Warning, ofPackage, "a file does not belong to root", "set the owner when the package is made"},
	{"module-in-kernel-dir", Warning, ofPackage, "a module lies where the kernel's own modules lie, and may overwrite one of them",
		"deb: /lib/modules/RELEASE/updates; rpm: /lib/modules/RELEASE/extra"},
	{"module-elsewhere", Warning, ofPackage, "a module lies where modprobe does not look", "install it below /lib/modules/RELEASE"},
	{"no-depmod", Error, ofPackage, "no script of the package runs depmod or weak-modules: modprobe does not find its modules", "run depmod -a RELEASE after the installation"},
	{"bad-module", Error, ofPackage, "a module cannot be read as one", "build it anew"},
	{"vermagic-differs", Error, ofPackage, "a module was built for another kernel than the directory it lies in says: it cannot be loaded", "build it for that kernel"},
	{"unsigned-module", Note, ofPackage, "a module is not signed: kernels in lockdown (Secure Boot) refuse it", "sign it with a key that is enrolled"},
	{"unstripped-module", Warning, ofPackage, "a module has debugging information", "strip --strip-debug, before it is signed"},
}
