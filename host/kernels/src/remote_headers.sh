#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Writes a kernel's build directory, with everything that it refers to, as a tar archive
# to standard output. The shell of the machine with that directory runs this script; koru
# sets the variable `build` before it. Exit status 3: there is no such directory.
# shellcheck disable=SC2154

root=$(readlink -f "$build") && [ -d "$root" ] || exit 3
[ -f "$root/Makefile" ] && [ -f "$root/.config" ] || exit 3

# The Makefile of a tree made with O=, as of Debian's headers, only includes the Makefile
# of the other half.
roots=$root
# shellcheck disable=SC2013
for other in $(sed -n 's/^include  *\(\/[^$ ]*\)\/Makefile *$/\1/p' "$root/Makefile"); do
	other=$(readlink -f "$other") && roots="$roots
$other"
done

# Of a whole source tree, only the parts that building modules needs are packed.
parts=
for root in $roots; do
	for part in "$root"/* "$root"/.config "$root"/.kernelvariables "$root"/arch/* "$root"/arch/x86; do
		case ${part#"$root"/} in
		include | scripts | tools | certs | arch/x86) ;;
		*) [ -f "$part" ] || continue ;;
		esac
		[ -e "$part" ] && parts="$parts
$part"
	done
done

# The targets of links that lead out of the tree are packed as well, and so on.
new=$parts
while [ -n "$new" ]; do
	# shellcheck disable=SC2086
	targets=$(find $new -type l -exec readlink -f {} \; | sort -u)
	new=
	for target in $targets; do
		[ -e "$target" ] || continue
		for root in $parts; do
			case $target in "$root" | "$root"/*) continue 2 ;; esac
		done
		new="$new
$target"
		parts="$parts
$target"
	done
done

# busybox's shell runs its own tar, which may lack options.
tar=/usr/bin/tar
[ -x "$tar" ] || tar=tar

# shellcheck disable=SC2086
find $parts \( -name '*.o' -o -name '*.a' -o -name '*.ko' -o -name '*.cmd' -o -name .git \
	-o -name vmlinux -size +131072 -o -name 'vmlinux.[ou]*' \
	-o -path '*/tools/testing' -o -path '*/tools/perf' \) -prune \
	-o \( -type f -o -type l \) -print |
	sed 's|^/||' | sort -u | "$tar" -C / -czf - -T -
