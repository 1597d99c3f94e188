# kept: the versions that an upgrade has left in the tree, with their source.
# Only dkms itself knows none; dkms-hook retires what is replaced.
kept() {
	for dir in "$tree"/*/.source; do
		dir=${dir%/.source}
		[ "$(readlink "$dir/source")" != "$dir/.source" ] || echo "${dir##*/}"
	done
}
