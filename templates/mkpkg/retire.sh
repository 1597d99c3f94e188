# retire: with dkms-hook what is installed stays until the new package's modules
# are.
retire() {
	for v in "$version" $(kept); do
		[ -z "$(dkms-hook status -m "$name" -v "$v")" ] || dkms-hook retire -m "$name" -v "$v" || :
	done
}
