#!/usr/bin/env bash
# Applies a pi-gen stage to a root file system as pi-gen's build.sh does (its README, "How the build process works"),
# so that the tests see what the image's builder sees. Only what our stage uses; anything else is an error.
#
#   stage.sh STAGE ROOTFS packages|rest
set -euo pipefail

stage=$(realpath "$1")
ROOTFS_DIR=$(realpath "$2")
part=$3
export ROOTFS_DIR STAGE_DIR=$stage FIRST_USER_NAME=${FIRST_USER_NAME:-}

on_chroot() {
  chroot "$ROOTFS_DIR" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
    QEMU_CPU="${QEMU_CPU:-}" DEBIAN_FRONTEND=noninteractive FIRST_USER_NAME="$FIRST_USER_NAME" /bin/bash -e -
}
copy_previous() { :; } # there is only this one
log() { printf '%(%H:%M:%S)T %s\n' -1 "$*"; }
export -f on_chroot copy_previous log

mount --rbind /dev "$ROOTFS_DIR/dev" # one cannot leave out what is mounted below it, in a user namespace
mount --rbind /proc "$ROOTFS_DIR/proc"
trap 'umount -l "$ROOTFS_DIR/proc" "$ROOTFS_DIR/dev"' EXIT

[ "$part" = packages ] || (cd "$stage" && ./prerun.sh)
for sub in "$stage"/*/; do
  cd "$sub"
  for file in [0-9][0-9]-*; do
    case $file in
    *-packages-nr)
      [ "$part" = packages ] || continue
      log "$file"
      packages=$(sed 's/#.*//' "$file" | tr '\n' ' ')
      printf 'apt-get install --no-install-recommends -y -q %s\n' "$packages" | on_chroot
      ;;
    *-run.sh)
      [ "$part" = rest ] || continue
      log "$file"
      [ -x "$file" ] || { log "$file is not executable: pi-gen would leave it out without a word"; exit 1; }
      "./$file"
      ;;
    *-run-chroot.sh)
      [ "$part" = rest ] || continue
      log "$file"
      on_chroot <"$file"
      ;;
    *) log "$file: this stage runner does not know it"; exit 1 ;;
    esac
  done
done
