#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Finds or receives koru's agent, and starts it. The target's shell runs this
# script over ssh. It reports its progress in lines `koru: WORD ..`; the agent's
# own bytes follow the last one. koru sets the variables hash, size, ask and
# prompt before it.
# shellcheck disable=SC2154

umask 077
say() { printf 'koru: %s\n' "$*"; }

# Checks that nobody else can write to a folder, and that programs in it can run.
usable() {
	mkdir -p "$1" && [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] && chmod 700 "$1" || return
	try=$1/.try.$$
	printf '#!/bin/sh\n' >"$try" && chmod 700 "$try" && "$try"
	tried=$?
	rm -f "$try"
	return "$tried"
}

# Checks that a file is the agent as koru has it, and belongs to this user.
whole() {
	[ -f "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] || return
	sum=$(sha256sum <"$1") && [ "${sum%% *}" = "$hash" ]
}

uid=$(id -u)
say target "$(uname -s)" "$(uname -m)" "$uid"

# root may have no access to a home folder on the network.
home=${XDG_CACHE_HOME:-${HOME:-/}/.cache}/koru/agents
if [ "$uid" = 0 ]; then
	set -- "$home" /var/tmp/koru-0 /tmp/koru-0
else
	set -- "/var/tmp/koru-$uid" "/tmp/koru-$uid" "$home"
fi
dir=
for folder; do
	if usable "$folder" 2>/dev/null; then
		dir=$folder
		break
	fi
done
if [ -z "$dir" ]; then
	say nowhere "$*"
	exit 1
fi

agent=$dir/agent-$hash
if whole "$agent"; then
	touch "$agent"
else
	part=$dir/.part.$$
	trap 'rm -f "$part"' EXIT
	say send
	head -c "$size" | gzip -dc >"$part"
	if ! whole "$part"; then
		say broken
		exit 1
	fi
	chmod 700 "$part" && mv -f "$part" "$agent" || exit
	# Agents of other versions of koru are removed when unused for a month.
	find "$dir" -name 'agent-*' -mtime +30 -exec rm -f {} +
fi

if [ "$uid" = 0 ]; then
	say start
	exec "$agent" --stdio
fi
if ! command -v sudo >/dev/null; then
	say no-sudo
	exit 1
fi
say start
if [ "$ask" = yes ]; then
	exec sudo -S -p "$prompt" -- "$agent" --stdio
fi
exec sudo -n -- "$agent" --stdio
