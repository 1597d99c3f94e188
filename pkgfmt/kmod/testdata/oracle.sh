#!/bin/bash
# What the dependency generators of kernel-srpm-macros say of the modules of one
# package, by their rules and by kmod's and binutils' programs.
#
#   oracle.sh provides|requires SYMVERS MODULE...
#
# The modules are files with a path that ends in lib/modules/RELEASE/..., and
# SYMVERS is the Module.symvers of the kernel they are for.
set -euo pipefail
export LC_ALL=C
what=$1 symvers=$2
shift 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# plain MODULE: the path of the same module, uncompressed.
plain() {
	local to=$tmp/plain.ko
	case $1 in
	*.xz) xz -dc "$1" >"$to" ;;
	*.gz) gzip -dc "$1" >"$to" ;;
	*.zst) zstd -qdc "$1" >"$to" ;;
	*) cp "$1" "$to" ;;
	esac
	echo "$to"
}

# exports MODULE: lines of CRC and symbol, of absolute __crc_ symbols, and else of
# the words that __crc_ symbols point to.
exports() {
	local file symbols section name
	file=$(plain "$1")
	symbols=$(nm "$file" | sed -nE 's/^0*([0-9a-f]{8}) A __crc_(.+)$/\1 \2/p')
	if [ -n "$symbols" ]; then
		echo "$symbols"
		return
	fi
	objdump -t "$file" | awk '$NF ~ /^__crc_/ { print $1, $(NF-2), substr($NF, 7) }' | while read -r at section name; do
		objcopy -O binary --set-section-flags "$section=alloc,contents,readonly" -j "$section" "$file" "$tmp/section"
		echo "$(od -An -tx4 -j $((16#$at)) -N 4 "$tmp/section" | tr -d ' ') $name"
	done
}

# combine: sorted lines, those that differ from the first of them in the same
# one character become one, with a set.
combine() {
	awk '
	function out() {
		if (NR > 1) print (at ? substr(first, 1, at - 1) "[" set "]" substr(first, at + 1) : first)
	}
	function differ(a, b,   i, n) {
		if (length(a) != length(b)) return 0
		for (i = 1; i <= length(a); i++) if (substr(a, i, 1) != substr(b, i, 1)) { if (n) return 0; n = i }
		if (substr(a, n, 1) == "*") return 0
		return n
	}
	NR > 1 {
		n = differ(first, $0)
		if (n && (!at || n == at)) { set = (at ? set : substr(first, n, 1)) substr($0, n, 1); at = n; next }
	}
	{ out(); first = $0; at = 0; set = "" }
	END { NR++; if (NR > 1) out() }'
}

provides() {
	local m base prefix version
	for m; do
		base=${m##*/}
		echo "kmod(${base%%.ko*}.ko)"
		prefix=ksym
		case $m in */lib/modules/*/kernel/*) prefix=kernel ;; esac
		exports "$m" | awk -v p="$prefix" '{ printf "%s(%s) = 0x%s\n", p, $2, $1 }'
		modinfo -F firmware "$m" | sed 's/.*/firmware(&)/'
		version=$(modinfo -F version "$m" | sed -n '1{s/[^0-9a-zA-Z._]/_/g;p}')
		modinfo -F alias "$m" | sed 's/[^][0-9A-Za-z._:*?\/-]/_/g' | sed "s,.*,modalias(&)${version:+ = $version}," | sort -u | combine
	done | sort -u
}

requires() {
	local m
	for m; do exports "$m"; done | awk '{ print $2 }' | sort -u >"$tmp/own"
	for m; do
		case $m in */lib/modules/*/kernel/*) continue ;; esac
		modprobe --dump-modversions "$m"
	done | sort -u | while read -r crc symbol; do
		grep -qxF "$symbol" "$tmp/own" && continue
		crc=$(printf '0x%08x' "$crc")
		if grep -q "^$crc	$symbol	" "$symvers"; then
			echo "kernel($symbol) = $crc"
		else
			echo "ksym($symbol) = $crc"
		fi
	done | sort -u
}

"$what" "$@"
