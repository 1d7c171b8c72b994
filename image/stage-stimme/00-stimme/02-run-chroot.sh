#!/bin/bash -e
# The one script that runs inside the target. Safe to run again.

systemd-sysusers stimme.conf
newest=$(find /opt/stimme -mindepth 1 -maxdepth 1 -type d -name '[0-9]*' -printf '%f\n' | sort -V | tail -1)
ln -sfn "$newest" /opt/stimme/current
chown -R root:root /opt/stimme

# Files that came from a checkout have its modes; what must be private says so.
chmod 755 /usr/lib/stimme/*
chmod 644 /etc/systemd/system/stimme*.service

# A name until the first boot makes it unique (stimme-first-boot).
echo stimme > /etc/hostname
grep -q '127.0.1.1' /etc/hosts 2>/dev/null || printf '127.0.1.1\tstimme\n' >> /etc/hosts

systemctl enable stimme.service stimme-first-boot.service stimme-console.service stimme-hotspot.service \
	stimme-alias.service stimme-welcome.service stimme-update-settle.service stimme-update.timer \
	stimme-cloud-off.service nftables.service avahi-daemon.service NetworkManager.service \
	unattended-upgrades.service systemd-timesyncd.service
# SSH comes on when Raspberry Pi Imager's settings bring a key (cloud-init), not before.
systemctl disable ssh.service ssh.socket 2>/dev/null || true
# The wizard that asks for a user name on the console: nobody sits there, and units after it would wait for ever.
systemctl mask userconfig.service
# Our screen is on the first console; the others still have a login.
systemctl mask getty@tty1.service
# Nothing here waits for the network.
systemctl mask NetworkManager-wait-online.service systemd-networkd-wait-online.service
# Timers that would write to the card for nothing on an appliance.
systemctl disable man-db.timer dpkg-db-backup.timer e2scrub_all.timer 2>/dev/null || true

# The first user exists for Imager's settings; without them nobody can log in.
if [ -n "${FIRST_USER_NAME:-}" ] && id "$FIRST_USER_NAME" >/dev/null 2>&1; then
	passwd --lock "$FIRST_USER_NAME"
fi
passwd --lock root

# A broken boot partition must not stop the boot; reading a file must not write its time.
sed -i -E '\,[[:space:]]/boot/firmware[[:space:]],{/nofail/!s/(vfat[[:space:]]+)([^[:space:]]+)/\1\2,nofail,x-systemd.device-timeout=60s/}' /etc/fstab
sed -i -E '\,[[:space:]]/[[:space:]]+ext4[[:space:]],{/noatime/!s/(ext4[[:space:]]+)([^[:space:]]+)/\1\2,noatime/}' /etc/fstab

rm -f /etc/machine-id /var/lib/dbus/machine-id
: > /etc/machine-id # made anew at each card's first boot
rm -f /etc/ssh/ssh_host_*
apt-get clean

# Caches are as new as what is installed: nothing is rebuilt at the first boot.
touch -r /usr /etc/.updated /var/.updated
