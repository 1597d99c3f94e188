# installed KERNEL: the version whose modules dkms has installed there.
installed() {
	for link in "$tree/kernel-$1"-*; do # the rest is the architecture, in which no dash is
		[ "${link%-*}" != "$tree/kernel-$1" ] || readlink "$link" | cut -d/ -f1
	done
}

# active VERSION: it is installed for some kernel.
active() {
	for link in "$tree"/kernel-*; do
		case "$(readlink "$link")" in "$1"/*) return 0 ;; esac
	done
	return 1
}

# arrive: the source of this version is registered. It has changed if dkms has
# built something from another one by the same name: a new release, or a mended
# package.
arrive() {
	changed=
	source=/usr/src/$name-$version
	if [ -d "$tree/$version/.source" ]; then
		ln -sfn "$source" "$tree/$version/source" || return
		if diff -r "$source" "$tree/$version/.source" >/dev/null 2>&1; then
			rm -rf "$tree/$version/.source"
		else
			changed=yes
		fi
	fi
	[ -e "$tree/$version/source" ] || dkms add -m "$name" -v "$version" >/dev/null
}

# build KERNEL: 77, as dkms has it, when the package is not for that kernel.
build() {
	rc=0
	echo "Building $name $version for $1"
	dkms build -m "$name" -v "$version" -k "$1" >/dev/null || rc=$?
	[ "$rc" != 9 ] || rc=77 # before dkms 3
	return "$rc"
}

# bring KERNEL: the module is built, if it is not yet, and is installed over
# another version's.
bring() {
	[ -d "$tree/$version/$1" ] || build "$1" || return
	dkms install -m "$name" -v "$version" -k "$1" --force >/dev/null
}

# replace KERNEL: first the new module is built, and only then the old one goes.
replace() {
	was=$(installed "$1")
	built=$tree/$version/$1
	if [ "$was" != "$version" ]; then
		[ -n "$was" ] || [ "$autoinstall" = yes ] || return 0
		[ -z "$changed" ] || rm -rf "$built"
		bring "$1" || return
		[ -z "$was" ] || dropped "$1"
		[ "$was" != "$version.before" ] || rm -rf "${tree:?}/$was" # of a script that was killed
	elif [ -n "$changed" ]; then
		# No version replaces itself: what is there bears another meanwhile.
		was=$version.before
		rm -rf "${tree:?}/$was"
		mkdir "$tree/$was" && ln -s "$tree/$version/.source" "$tree/$was/source" && rename "$1" "$version" "$was" || return
		bring "$1" || {
			rc=$?
			rm -rf "$built"
			rename "$1" "$was" "$version"
			rm -rf "${tree:?}/$was"
			return "$rc"
		}
		dropped "$1"
		rm -rf "${tree:?}/$was"
	fi
}

# rename KERNEL OLD NEW: has what is built there, and installed, be of that version.
rename() {
	mv "$tree/$2/$1" "$tree/$3/$1" || return
	for link in "$tree/kernel-$1"-*; do
		[ "${link%-*}" = "$tree/kernel-$1" ] || continue
		target=$(readlink "$link")
		ln -sfn "$3/${target#*/}" "$link"
	done
}

# dropped KERNEL: the modules that only the version before had go from there.
dropped() {
	gone=
	for module in "$tree/$was/$1"/*/module/*; do
		file=${module##*/}
		[ -z "$(find "$built" -name "$file")" ] || continue
		find "/lib/modules/$1/" -name "$file" -exec cmp -s "$module" {} \; -exec rm -f {} \;
		gone=yes
	done
	[ -z "$gone" ] || depmod "$1"
}

# take_over: has dkms itself install this version in the place of those that
# were kept.
take_over() {
	[ ! -e /etc/dkms/no-autoinstall ] || return 0
	arrive || return
	failed=
	for headers in /lib/modules/*/build/include; do
		[ -d "$headers" ] || continue
		kernel=${headers#/lib/modules/}
		kernel=${kernel%/build/include}
		replace "$kernel" || [ $? = 77 ] || failed="$failed $kernel"
	done
	for v in $(kept); do
		active "$v" || dkms remove -m "$name" -v "$v" --all >/dev/null || failed="$failed (without $v)"
	done
	if [ -n "$failed" ]; then
		echo "$name $version could not be installed for$failed: what was there before has stayed" >&2
		return 1
	fi
	rm -rf "$tree/$version/.source"
}
