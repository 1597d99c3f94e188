#compdef dkms-mkpkg
# Completion of dkms-mkpkg for zsh: actions, the options of each and their
# values, kernels, and the files that an action takes.

_dkms_mkpkg_actions() {
	local -a actions
	actions=(
		'init:write a dkms.conf'
		'lint:find what is wrong, or will be'
		'source:package a source'
		'kmod:build modules, and package them'
		'inspect:show what is in packages'
		'spec:write a spec file'
		'debian:write a debian directory'
		'schema:print the JSON schema of dkms-mkpkg.yaml'
	)
	_describe -t actions action actions
}

_dkms_mkpkg_kernels() {
	local i modules=/lib/modules
	for ((i = 2; i < CURRENT; i++)); do
		case $words[i] in
		--installtree) modules=$words[i+1] ;;
		--installtree=*) modules=${words[i]#*=} ;;
		esac
	done
	local -a found
	found=($modules/*(N/:t))
	compadd "$@" -- $found
}

# _dkms_mkpkg_action: the first word that is one.
_dkms_mkpkg_action() {
	local word
	for word in $words[2,CURRENT-1]; do
		case $word in
		init | lint | source | kmod | inspect | spec | debian | schema) print -r -- $word; return ;;
		esac
	done
}

_dkms_mkpkg() {
	local action=$(_dkms_mkpkg_action)
	local -a describing output writing force json kernels specs
	describing=(
		'(-m --module)'{-m,--module=}'[the name]:name:'
		'-v[the version]:version:'
		'--release=[the packaging'\''s own number]:number:'
		'--config=[instead of dkms-mkpkg.yaml]:file:_files'
	)
	output=(
		'(-o --output)'{-o,--output=}'[write there]:directory:_directories'
		'(-q --quiet)'{-q,--quiet}'[print errors only]'
	)
	writing=(
		$output
		'--compress=[how packages are compressed]:compression:(gzip xz zstd none)'
		'--sign-key=[sign the packages by it]:file:_files'
		'--no-sbom[packages only]'
	)
	force=('--force[replace what is there]')
	json=('--json[print JSON]')
	kernels=(
		'*'{-k,--kernel=}'[kernel release]:kernel:_dkms_mkpkg_kernels'
		'--installtree=[where kernels are]:directory:_directories'
	)
	case $action in
	'') specs=('(-V --version)'{-V,--version}'[print the version]') ;;
	init) specs=($force '--makefile[write a Kbuild file, too]' '*:directory:_directories') ;;
	lint) specs=($json '--sarif[print SARIF]' '--rules[list the rules]' '*:file:_files') ;;
	source) specs=($describing $writing '--format=[of the packages]:format:(deb rpm deb,rpm src.rpm)' '*:directory:_directories') ;;
	kmod)
		specs=(
			$kernels $describing $writing
			'--format=[of the packages]:format:(deb rpm deb,rpm)'
			'--abi=[which kernels the modules fit]:ABI:(exact ksym)'
			'--kernelsourcedir=[kernel headers]:directory:_directories'
			'--image-version=[version of the image'\''s package]:version:'
			'*--symvers=[what a package of BUILD_DEPENDS exports]:NAME=PATH:'
			'--key=[sign the modules by it]:file:_files'
			'--cert=[the certificate to it]:file:_files'
			'--debug[debug packages, too]'
			'--no-meta[no package that follows the newest kernel]'
			'-j[compilers at a time]:number:'
			'--verbose[print what the build prints]'
			'*:directory:_directories'
		)
		;;
	inspect) specs=($json $kernels '--symbols[list the symbols of modules]' '*:package:_files -g "*.(deb|rpm)"') ;;
	spec) specs=($describing $output $force '--kind=[of package]:kind:(dkms kmod)' '*:directory:_directories') ;;
	debian) specs=($describing $output $force '*:directory:_directories') ;;
	esac
	_arguments -S $specs '(-h --help)'{-h,--help}'[print a summary]' '1:action:_dkms_mkpkg_actions'
}

_dkms_mkpkg "$@"
