# shellcheck shell=bash
# Completion of dkms-hook and dkms for bash: actions, options, and what is on
# this machine's disk.

# _dkms_hook_given OPTION DEFAULT: what the command line gives OPTION.
_dkms_hook_given() {
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == "$1" ]]; then
			[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
			printf '%s' "${COMP_WORDS[i + 1]}"
			return
		fi
	done
	printf '%s' "$2"
}

# _dkms_hook_registered TREE: NAME/VER of what is in the tree.
_dkms_hook_registered() {
	local path
	for path in "$1"/*/*/source; do
		[[ -L $path ]] || continue
		path=${path%/source}
		printf '%s\n' "${path#"$1"/}"
	done
}

# _dkms_hook_sources DIR: NAME/VER of the sources that could be registered.
_dkms_hook_sources() {
	local conf dir line name
	for conf in "$1"/*-*/dkms.conf; do
		[[ -f $conf ]] || continue
		dir=${conf%/dkms.conf}
		dir=${dir##*/}
		name=${dir%-*}
		while read -r line; do
			if [[ $line =~ ^PACKAGE_NAME=[\"\']?([^\"\'\ ]*) ]]; then
				[[ $dir == "${BASH_REMATCH[1]}"-* ]] && name=${BASH_REMATCH[1]}
				break
			fi
		done <"$conf"
		printf '%s\n' "$name/${dir#"$name"-}"
	done
}

# _dkms_hook_kernels DIR: releases.
_dkms_hook_kernels() {
	local path
	for path in "$1"/*/; do
		[[ -d $path ]] || continue
		path=${path%/}
		printf '%s\n' "${path##*/}"
	done
}

# _dkms_hook_among WORD LIST: whether the blank-separated list has the word.
_dkms_hook_among() { [[ " $2 " == *" $1 "* ]]; }

_dkms_hook() {
	local actions="add autoinstall build generate_mok install kernel_postinst kernel_preinst kernel_prerm ldtarball match mktarball remove status unbuild uninstall"
	local valued="-m --module -v -k --kernelver -a --arch -c --config --kernelsourcedir --templatekernel --archive --directive --dkmstree --sourcetree --installtree -j --root --trace --html"
	local options="$valued --all --all-kernels --force --force-version-override --binaries-only --source-only --no-depmod --modprobe-on-install --rpm_safe_upgrade --symlink-modules --fix --json -q --quiet --verbose --debug -V --version -h --help"
	if [[ ${COMP_WORDS[0]##*/} == dkms-hook ]]; then
		actions+=" cache check demo doctor plan register report retire retry sync"
	fi

	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	if [[ $cur == = ]]; then # --option=, which bash takes for two words
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi

	local i action=''
	for ((i = 1; i < COMP_CWORD; i++)); do
		if _dkms_hook_among "${COMP_WORDS[i]}" "$valued"; then
			((i++))
			[[ ${COMP_WORDS[i]} == = ]] && ((i++))
		elif [[ -z $action ]] && _dkms_hook_among "${COMP_WORDS[i]}" "$actions"; then
			action=${COMP_WORDS[i]}
		fi
	done

	local root tree sources modules
	root=$(_dkms_hook_given --root '')
	tree=$root$(_dkms_hook_given --dkmstree /var/lib/dkms)
	sources=$root$(_dkms_hook_given --sourcetree /usr/src)
	modules=$root$(_dkms_hook_given --installtree /lib/modules)

	local words='' files=''
	case $prev in
	-m | --module)
		words="$(_dkms_hook_registered "$tree") $(_dkms_hook_sources "$sources")"
		;;
	-v)
		local name
		name=$(_dkms_hook_given -m "$(_dkms_hook_given --module '')")
		words=$({ _dkms_hook_registered "$tree"; _dkms_hook_sources "$sources"; } |
			while IFS=/ read -r n v; do [[ -n $name && $n != "$name" ]] || printf '%s\n' "$v"; done)
		;;
	-k | --kernelver | --templatekernel)
		words=$(_dkms_hook_kernels "$modules")
		;;
	-a | --arch)
		words=$(uname -m)
		;;
	-c | --config | --archive | --trace | --html)
		files=-f
		;;
	--kernelsourcedir | --dkmstree | --sourcetree | --installtree | --root)
		files=-d
		;;
	--directive | -j) ;;
	*)
		if [[ $cur == -* ]]; then
			words=$options
		elif [[ -z $action ]]; then
			words=$actions
		else
			case $action in
			add | build | install)
				words="$(_dkms_hook_registered "$tree") $(_dkms_hook_sources "$sources")"
				files=-f
				;;
			ldtarball)
				files=-f
				;;
			match | mktarball | register | remove | retire | retry | status | unbuild | uninstall)
				words=$(_dkms_hook_registered "$tree")
				;;
			esac
		fi
		;;
	esac

	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur" | sort -u)
	if [[ -n $files && ${#COMPREPLY[@]} -eq 0 ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen "$files" -- "$cur")
	fi
}

complete -F _dkms_hook dkms-hook dkms
