# neither CONSEQUENCE: says why nothing is done.
neither() {
	echo "$name $version: neither dkms-hook nor dkms is installed: $1" >&2
}
