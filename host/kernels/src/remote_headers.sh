#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Writes a kernel's build directory, with all that it points to, as a tar archive to
# standard output. Run by the shell of the machine that it is on; koru puts the
# variable `build` in front. Exit status 3: there is none.
# shellcheck disable=SC2154

root=$(readlink -f "$build") && [ -d "$root" ] || exit 3
[ -f "$root/Makefile" ] && [ -f "$root/.config" ] || exit 3

# A tree made with O=, and Debian's, only includes the other half's Makefile.
roots=$root
# shellcheck disable=SC2013
for other in $(sed -n 's/^include  *\(\/[^$ ]*\)\/Makefile *$/\1/p' "$root/Makefile"); do
	other=$(readlink -f "$other") && roots="$roots
$other"
done

# Of a whole source tree, what modules are built with.
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

# Where links lead out of it, and from there, as long as that is somewhere new.
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

# A shell that is busybox has a tar of its own, which may know less.
tar=/usr/bin/tar
[ -x "$tar" ] || tar=tar

# shellcheck disable=SC2086
find $parts \( -name '*.o' -o -name '*.a' -o -name '*.ko' -o -name '*.cmd' -o -name .git \
	-o -name vmlinux -size +131072 -o -name 'vmlinux.[ou]*' \
	-o -path '*/tools/testing' -o -path '*/tools/perf' \) -prune \
	-o \( -type f -o -type l \) -print |
	sed 's|^/||' | sort -u | "$tar" -C / -czf - -T -
