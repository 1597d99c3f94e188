#compdef dkms-hook dkms
# Completion of dkms-hook and dkms for zsh: actions, options, and what is on
# this machine's disk.

# _dkms_hook_given OPTION DEFAULT: what the command line gives OPTION.
_dkms_hook_given() {
	local i
	for ((i = 2; i < CURRENT; i++)); do
		case $words[i] in
		$1) print -r -- $words[i+1]; return ;;
		$1=*) print -r -- ${words[i]#*=}; return ;;
		esac
	done
	print -r -- $2
}

# _dkms_hook_registered: NAME/VER of what is in the tree.
_dkms_hook_registered() {
	local tree=$(_dkms_hook_given --root '')$(_dkms_hook_given --dkmstree /var/lib/dkms)
	local -a found
	found=($tree/*/*/source(N@:h))
	compadd "$@" -- ${found#$tree/}
}

# _dkms_hook_sources: NAME/VER of the sources that could be registered.
_dkms_hook_sources() {
	local conf dir name sources=$(_dkms_hook_given --root '')$(_dkms_hook_given --sourcetree /usr/src)
	local -a found lines
	for conf in $sources/*-*/dkms.conf(N); do
		dir=${conf:h:t}
		lines=(${(M)${(f)"$(<$conf)"}:#PACKAGE_NAME=*})
		name=${${${lines[1]#PACKAGE_NAME=}//[\"\']/}%% *}
		[[ -n $name && $dir == $name-* ]] || name=${dir%-*}
		found+=($name/${dir#$name-})
	done
	compadd "$@" -- $found
}

_dkms_hook_packages() {
	_alternative 'registered:registered package:_dkms_hook_registered' 'sources:source:_dkms_hook_sources'
}

_dkms_hook_versions() {
	local name=$(_dkms_hook_given -m "$(_dkms_hook_given --module '')")
	local tree=$(_dkms_hook_given --root '')$(_dkms_hook_given --dkmstree /var/lib/dkms)
	local -a found
	found=($tree/${name:-*}/*/source(N@:h:t))
	compadd "$@" -- $found
}

_dkms_hook_kernels() {
	local modules=$(_dkms_hook_given --root '')$(_dkms_hook_given --installtree /lib/modules)
	local -a found
	found=($modules/*(N/:t))
	compadd "$@" -- $found
}

_dkms_hook_actions() {
	local -a actions
	actions=(
		'add:register a package'
		'autoinstall:install all that is AUTOINSTALL for a kernel'
		'build:compile it for a kernel'
		'generate_mok:make the key pair that signs modules'
		'install:put the modules where the kernel finds them'
		'kernel_postinst:for hooks\: a kernel has been installed'
		'kernel_preinst:for hooks\: a kernel is about to be replaced'
		'kernel_prerm:for hooks\: a kernel is about to be removed'
		'ldtarball:load an archive'
		'match:install on one kernel what another has'
		'mktarball:pack a package into an archive'
		'remove:unbuild, and unregister the package'
		'status:list packages, kernels and states'
		'unbuild:uninstall, and forget what was built'
		'uninstall:take the modules away from the kernel'
	)
	[[ ${words[1]:t} != dkms-hook ]] || actions+=(
		'cache:show or remove the built modules that are kept'
		'check:is every module there for the next boot?'
		'demo:build and install a sample module in a throw-away root'
		'doctor:explain what is odd in the tree'
		'plan:show what sync would do, and why'
		'register:for scriptlets\: a package has been installed'
		'report:show what the last run did'
		'retire:for scriptlets\: a package is being replaced'
		'retry:try again what has failed'
		'sync:make every module match'
	)
	_describe -t actions action actions
}

_dkms_hook_operands() {
	local word action=
	for word in $words[2,CURRENT-1]; do
		case $word in
		add | build | install) _dkms_hook_packages || _files; return ;;
		cache) compadd list prune; return ;;
		ldtarball) _files; return ;;
		match | mktarball | register | remove | retire | retry | status | unbuild | uninstall) _dkms_hook_registered; return ;;
		autoinstall | check | demo | doctor | generate_mok | kernel_* | plan | report | sync) return 1 ;;
		esac
	done
	_dkms_hook_actions
}

_dkms_hook() {
	_arguments -S \
		'(-m --module)'{-m,--module=}'[package]:package:_dkms_hook_packages' \
		'-v[package version]:version:_dkms_hook_versions' \
		'*'{-k,--kernelver=}'[kernel release]:kernel:_dkms_hook_kernels' \
		'*'{-a,--arch=}"[architecture]:architecture:($(uname -m))" \
		'--all[every kernel the package is built for]' \
		'--all-kernels[every kernel on disk]' \
		'-c[use this dkms.conf]:file:_files' \
		'--config=[kernel configuration]:file:_files' \
		'--kernelsourcedir=[kernel headers]:directory:_directories' \
		'--templatekernel=[do as on this kernel]:kernel:_dkms_hook_kernels' \
		'--archive=[the tarball]:file:_files' \
		'*--directive=[NAME=VALUE wins over dkms.conf]:directive:' \
		'--force[do it although something speaks against it]' \
		'--force-version-override[install over the same or a newer version]' \
		'--binaries-only[without the source]' \
		'--source-only[without built modules]' \
		'--no-depmod[do not run depmod]' \
		'--modprobe-on-install[load the modules after installing them]' \
		'--rpm_safe_upgrade[keep what an upgrade has just installed]' \
		'--dkmstree=[the tree]:directory:_directories' \
		'--sourcetree=[where sources are]:directory:_directories' \
		'--installtree=[where modules are]:directory:_directories' \
		'--symlink-modules[install links to the tree]' \
		'-j[compilers at a time]:number:' \
		'--root=[work inside a root file system]:directory:_directories' \
		'--trace=[write what ran when]:file:_files' \
		'--html=[write a page about the last run]:file:_files' \
		'--fix[mend what is safe to mend]' \
		'--json[machine-readable output]' \
		'(-q --quiet)'{-q,--quiet}'[print errors only]' \
		'--verbose[print what the build prints]' \
		'--debug[the same as --verbose]' \
		'(-V --version)'{-V,--version}'[print the version]' \
		'(-h --help)'{-h,--help}'[print a summary]' \
		'*:operand:_dkms_hook_operands'
}

_dkms_hook "$@"
