# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Debian's packages for bin/install-*, fetched and unpacked in a folder: nothing is installed into the system, so no root is needed. To be sourced. Who sources it defines
# say WORD... (an error), and sets work (a folder for all of this, absolute, no blanks in it) and log (a file).

# mirror: where this system gets its packages; no host is written down here.
mirror() {
  if [ -n "${GODWIT_DEBIAN_MIRROR-}" ]; then
    echo "$GODWIT_DEBIAN_MIRROR"
    return
  fi
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    awk '$1 == "URIs:" { print $2 } $1 == "deb" { print $2 ~ /^\[/ ? $4 : $2 }' | grep -E '/debian/?$' | head -n 1 || true
}

# apt PROGRAM WORD...: apt-get and the like in a folder of its own: it knows no package as installed, and the system's apt sees nothing of it.
apt() {
  "$1" -qq -o Dir::State="$work/state" -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \
    -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Install-Recommends=false -o APT::Sandbox::User= \
    -o Debug::NoLocking=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o Acquire::Retries=1 "${@:2}" </dev/null
}

# lists WHAT SUITES: what there is in these suites. WHAT begins the sentence if it cannot be had.
lists() {
  local suite from key keyring=''
  from=$(mirror)
  if [ -z "$from" ]; then
    say "$1: no Debian mirror is known here: name one in GODWIT_DEBIAN_MIRROR"
    return 1
  fi
  for key in /usr/share/keyrings/debian-archive-keyring.pgp /usr/share/keyrings/debian-archive-keyring.gpg; do
    [ ! -r "$key" ] || keyring=$key
  done
  mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
  : >"$work/status"
  for suite in $2; do
    echo "deb ${keyring:+[signed-by=$keyring] }$from $suite main"
  done >"$work/sources.list"
  apt apt-get -o APT::Update::Error-Mode=any update >>"$log" 2>&1 ||
    { say "$1: no package lists of $2 (no network, no such suite, or an unknown key?), see $log"; return 1; }
}

# tools WHAT: whether the programs are here, and this is a machine for what they unpack.
tools() {
  local program
  [ "$(uname -m)" = x86_64 ] || { say "$1: these are programs for x86_64, this is $(uname -m)"; return 1; }
  for program in apt-get dpkg-deb tar; do
    command -v "$program" >/dev/null || { say "$1: Debian's can only be unpacked with $program, which is not here"; return 1; }
  done
}

# unpack_package WHAT FILE FOLDER [TAR_OPTION...]
unpack_package() {
  dpkg-deb --fsys-tarfile "$2" | tar -x -C "$3" --no-same-owner --keep-directory-symlink "${@:4}" 2>>"$log" ||
    { say "$1: $(basename "$2") cannot be unpacked (no room?), see $log"; return 1; }
}
