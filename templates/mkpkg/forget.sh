# forget ENGINE [OPTION]: has it remove all that it knows of this package.
forget() {
	for v in "$version" $(kept); do
		# shellcheck disable=SC2086 # no option is no word
		[ -z "$("$1" status -m "$name" -v "$v")" ] || "$1" remove -m "$name" -v "$v" --all $2 || return
	done
}
