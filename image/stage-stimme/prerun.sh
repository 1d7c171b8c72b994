#!/bin/bash -e
# Begins with what the stage before (Raspberry Pi OS Lite) left; a second run goes on where the first stopped.
if [ ! -d "${ROOTFS_DIR}" ]; then
	copy_previous
fi
