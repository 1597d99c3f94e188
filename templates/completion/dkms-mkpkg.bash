# shellcheck shell=bash
# Completion of dkms-mkpkg for bash: actions, the options of each and their
# values, kernels, and the files that an action takes.

# _dkms_mkpkg_options ACTION
_dkms_mkpkg_options() {
	local describing="-m --module -v --release --config"
	local writing="--format -o --output --compress --sign-key --no-sbom -q --quiet"
	case $1 in
	init) printf '%s' "--force --makefile" ;;
	lint) printf '%s' "--json --sarif --rules" ;;
	source) printf '%s' "$describing $writing" ;;
	kmod) printf '%s' "-k --kernel --abi --installtree --kernelsourcedir --image-version --symvers --key --cert --debug --no-meta -j --verbose $describing $writing" ;;
	inspect) printf '%s' "--json --symbols -k --kernel --installtree" ;;
	spec) printf '%s' "--kind -o --output --force -q --quiet $describing" ;;
	debian) printf '%s' "-o --output --force -q --quiet $describing" ;;
	'') printf '%s' "-V --version" ;;
	esac
	printf ' %s' "-h --help"
}

# _dkms_mkpkg_among WORD LIST: whether the blank-separated list has the word.
_dkms_mkpkg_among() {
	[[ " $2 " == *" $1 "* ]]
}

_dkms_mkpkg() {
	local actions="init lint source kmod inspect spec debian schema"
	local valued="-m --module -v --release --config --format -o --output --compress --sign-key -k --kernel --abi --installtree --kernelsourcedir --image-version --symvers --key --cert -j --kind"

	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	if [[ $cur == = ]]; then # --option=, which bash takes for two words
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi

	local i word action='' modules=/lib/modules
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if _dkms_mkpkg_among "$word" "$valued"; then
			((i++))
			[[ ${COMP_WORDS[i]} == = ]] && ((i++))
			[[ $word != --installtree ]] || modules=${COMP_WORDS[i]}
		elif [[ -z $action ]] && _dkms_mkpkg_among "$word" "$actions"; then
			action=$word
		fi
	done

	local words='' files=''
	case $prev in
	-k | --kernel)
		words=$(for i in "$modules"/*/; do [[ ! -d $i ]] || basename "$i"; done)
		;;
	--format)
		words="deb rpm deb,rpm"
		[[ $action != source ]] || words+=" src.rpm"
		;;
	--compress) words="gzip xz zstd none" ;;
	--abi) words="exact ksym" ;;
	--kind) words="dkms kmod" ;;
	--config | --sign-key | --key | --cert) files=-f ;;
	-o | --output | --installtree | --kernelsourcedir) files=-d ;;
	-m | --module | -v | --release | --image-version | --symvers | -j) ;;
	*)
		if [[ $cur == -* ]]; then
			words=$(_dkms_mkpkg_options "$action")
		else
			case $action in
			'') words=$actions ;;
			lint) files=-f ;;
			inspect) files=packages ;;
			schema) ;;
			*) files=-d ;;
			esac
		fi
		;;
	esac

	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur" | sort -u)
	[[ -n $files ]] || return 0
	compopt -o filenames 2>/dev/null
	if [[ $files == packages ]]; then
		mapfile -t COMPREPLY < <(compgen -d -- "$cur"; compgen -f -X '!*.deb' -- "$cur"; compgen -f -X '!*.rpm' -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen "$files" -- "$cur")
	fi
}

complete -F _dkms_mkpkg dkms-mkpkg
