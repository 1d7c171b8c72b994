#!/bin/bash -e
# Puts our files and the assembled release into the target. Runs outside of it, in this directory.
# STIMME_TREE: what image/assemble laid out, as absolute path.
: "${STIMME_TREE:?must name the tree that image/assemble made}"
cp --recursive --no-dereference --preserve=mode,links --no-preserve=ownership files/. "${ROOTFS_DIR}/"
rm -rf "${ROOTFS_DIR}/opt/stimme"
mkdir -p "${ROOTFS_DIR}/opt"
cp --recursive --no-dereference --preserve=mode,links,timestamps --no-preserve=ownership "${STIMME_TREE}/opt/stimme" "${ROOTFS_DIR}/opt/stimme"
