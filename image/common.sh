# What the scripts of image/ share; sourced, not run. Messages say what is missing and what to do about it.
# shellcheck shell=bash
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034  # used by those who source this
{
  image=$top/image
  work=${STIMME_IMAGE_WORK:-$top/build/image} # everything made on the way; nothing of it is needed afterwards
  workshop=$work/workshop
  suite=trixie
  version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$top/appliance/__init__.py")
}

say() { printf '==> %s\n' "$*"; }
fail() { printf 'image: %s\n' "$*" >&2; exit 1; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

need_space() { # directory, gigabytes, what for
  local free
  mkdir -p "$1"
  free=$(df --output=avail -BG "$1" | tail -1 | tr -dc 0-9)
  [ "$free" -ge "$2" ] || fail "$1 has $free GB free, $3 needs $2 GB; free some, or set STIMME_IMAGE_WORK to another disk"
}

need_command() { # command, Debian package
  command -v "$1" >/dev/null || fail "'$1' is missing; install it with: sudo apt-get install $2"
}

# The Debian mirror: STIMME_MIRROR, else the one this machine's own apt uses, else mmdebstrap's default.
mirror() {
  if [ -n "${STIMME_MIRROR:-}" ]; then printf '%s\n' "$STIMME_MIRROR"; return; fi
  # shellcheck disable=SC2016  # apt's own placeholders
  apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    sed -n 's/^Debian|Debian|//p' | head -1
}

# mmdebstrap's sources: one line with our mirror, or the suite alone.
sources() {
  local from
  from=$(mirror)
  if [ -n "$from" ]; then printf 'deb %s %s main\n' "$from" "$suite"; else printf '%s\n' "$suite"; fi
}
