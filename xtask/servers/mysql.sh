#!/usr/bin/env bash
# Installs Oracle's MySQL server from Debian unstable into a folder of its own: `mysql.sh FOLDER`.
#
# Debian's stable releases carry MariaDB only, and the two cannot be installed side by side, so the
# server gets a root file system of its own, which it is started in with chroot. Needs root and
# debootstrap. About 90 seconds and 750 MB the first time, nothing after.
set -euo pipefail
folder="${1:?usage: mysql.sh FOLDER}"

if [ -x "$folder/usr/sbin/mysqld" ] && [ -e "$folder/complete" ]; then
    exit 0
fi

# The mirror that this machine uses already, if it is Debian's.
mirror=http://deb.debian.org/debian
. /etc/os-release
if [ "${ID:-}" = debian ]; then
    found="$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
        awk '$1 == "URIs:" && $2 ~ /\/debian\/?$/ { print $2; exit }
             $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\/\/.*\/debian\/?$/) { print $i; exit } }' || true)"
    mirror="${found:-$mirror}"
fi

# An installation that was cut off is begun again.
rm -rf --one-file-system "$folder"
mkdir -p "$folder"
debootstrap --variant=minbase --force-check-gpg \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    sid "$folder" "$mirror"

# Nothing is started by installing it.
printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
chmod +x "$folder/usr/sbin/policy-rc.d"

# A mirror that lags behind may serve a list past its date.
inside() { chroot "$folder" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }
inside apt-get -o Acquire::Check-Valid-Until=false -q update
inside apt-get -o Acquire::Check-Valid-Until=false -q install -y --no-install-recommends \
    mysql-server-core
inside apt-get clean
inside id mysql >/dev/null 2>&1 || inside useradd --system --no-create-home mysql
touch "$folder/complete"
