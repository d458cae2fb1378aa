#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Installs the Debian packages named on the command line that are missing: as root or by sudo;
# otherwise it prints the one command to run. Does nothing where all is there.
set -eu

fail() {
	echo "setup: $*" >&2
	exit 1
}

command -v cargo >/dev/null ||
	fail "no cargo: install Rust 1.88 or later (https://rustup.rs, or your system's package)"

if ! command -v dpkg-query >/dev/null; then
	echo "setup: not a Debian system; needed are what Debian calls: $*"
	exit 0
fi

missing=
for package in "$@"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
	as_root=sudo
else
	fail "packages are missing; run this, and then the same again:
  sudo apt-get update && sudo apt-get install -y$missing"
fi

echo "setup: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # words on purpose
{
	$as_root apt-get -qq update
	$as_root apt-get -qq install -y --no-install-recommends $missing >/dev/null
} || fail "apt-get could not install$missing; its message is above"
