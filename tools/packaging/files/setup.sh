#!/bin/sh
# What both packages and install.sh do on a machine beyond copying files.
#   setup.sh configure api|collector   user, settings, folders, rights, service
#   setup.sh stop api|collector        before its files go
#   setup.sh purge api|collector       its user and data; a file /var/lib/device-metrics/keep keeps the data
# DEVICE_METRICS_NO_START=1: it is not started.
set -eu
umask 022

action=${1:?} program=${2:?}
home=$(dirname "$(dirname "$(readlink -f "$0")")")
config=/etc/device-metrics
state=/var/lib/device-metrics
unit=device-metrics-$program.service
pid=/run/$(basename "$unit" .service).pid
if [ "$program" = api ]; then user=device-metrics; else user=device-metrics-collector; fi

has_systemd() { [ -d /run/systemd/system ]; }

make_user() {
  ! getent passwd "$user" >/dev/null || return 0
  if getent group "$user" >/dev/null; then group="--gid $user"; else group=--user-group; fi
  # shellcheck disable=SC2086
  useradd --system $group --home-dir "$state/$program" --no-create-home --shell /usr/sbin/nologin "$user"
  # Data that an earlier installation has left may be of a number that this user had then.
  [ ! -d "$state/$program" ] || chown -R "$user:$user" "$state/$program"
}

# What somebody has written stays as it is; so no package has them as files of its own, which dpkg would ask about.
make_settings() {
  mkdir -p "$config"
  for file in "$home/share/etc/$program".*; do
    [ -e "$config/$(basename "$file")" ] || sed "s|/usr/lib/device-metrics|$home|g" "$file" >"$config/$(basename "$file")"
  done
}

make_folders() {
  mkdir -p "$state"
  chmod 0755 "$state"
  install -d -o "$user" -g "$user" -m 0700 "$state/$program"
  for file in "$config/$program.env" "$config/$program.yaml"; do
    [ -e "$file" ] || continue
    chown "root:$user" "$file"
    chmod 0640 "$file"
  done
}

# The collector beside an api sends from the start, also once people have to sign in there.
give_token() {
  token=$state/collector/token
  [ -e "$home/lib/apps/api" ] || return 0
  if [ -e "$token" ] || [ -e "$state/collector/credential.json" ]; then return 0; fi
  made=$("$home/bin/device-metrics" api token create ingest --name "the collector of $(uname -n)" | grep -o 'dm_ingest_[^ ]*') || {
    echo 'The collector of this machine has no token; device-metrics collector join gives it a credential' >&2
    return 0
  }
  (umask 077 && echo "$made" >"$token")
  chown "$user:$user" "$token"
}

# deb-systemd-* obey the administrator's policy-rc.d; elsewhere they are missing.
systemd() {
  what=$1
  if [ -n "${DPKG_MAINTSCRIPT_PACKAGE:-}" ] && command -v deb-systemd-invoke >/dev/null; then
    case $what in
      enable) deb-systemd-helper enable "$unit" >/dev/null ;;
      purge) deb-systemd-helper purge "$unit" >/dev/null ;;
      *) if has_systemd; then deb-systemd-invoke "$what" "$unit" >/dev/null; fi ;;
    esac
  elif [ "$what" = purge ]; then
    systemctl disable "$unit" >/dev/null 2>&1 || true
  elif command -v systemctl >/dev/null && { has_systemd || [ "$what" = enable ]; }; then
    systemctl "$what" "$unit" >/dev/null 2>&1 || [ "$what" = enable ]
  fi
}

# Without systemd nothing starts it again after a reboot, but it runs.
start_alone() {
  stop_alone
  nohup "$home/bin/device-metrics" "$program" >>"$state/$program/log" 2>&1 </dev/null &
  echo $! >"$pid"
  echo "This system has no systemd: device-metrics $program runs until the next start of the machine; its log is $state/$program/log"
}

stop_alone() {
  [ -e "$pid" ] || return 0
  number=$(cat "$pid")
  case $(tr '\0' ' ' <"/proc/$number/cmdline" 2>/dev/null || true) in
    *apps/"$program"/dist/main.js*)
      kill "$number" 2>/dev/null || true
      for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
        [ -e "/proc/$number" ] || break
        sleep 0.5
      done
      kill -9 "$number" 2>/dev/null || true
      ;;
  esac
  rm -f "$pid"
}

configure() {
  make_user
  make_settings
  make_folders
  if [ "$program" = collector ]; then
    give_token
    # What a person installs now comes before what the collector has fetched for itself.
    rm -rf "$state/collector/update"
  fi
  ! has_systemd || systemctl daemon-reload
  systemd enable
  [ -z "${DEVICE_METRICS_NO_START:-}" ] || return 0
  if has_systemd; then
    systemd restart || echo "$unit did not start: journalctl -u $unit says why" >&2
  elif [ -z "${DPKG_MAINTSCRIPT_PACKAGE:-}" ]; then
    start_alone
  fi
}

purge() {
  systemd purge || true
  if [ ! -e "$state/keep" ]; then
    rm -rf "${state:?}/$program"
    rmdir "$state" 2>/dev/null || true
  fi
  # A user of that name with another home was there before.
  [ "$(getent passwd "$user" | cut -d : -f 6)" = "$state/$program" ] || return 0
  userdel "$user"
  ! getent group "$user" >/dev/null || groupdel "$user" 2>/dev/null || true
}

case $action in
  configure) configure ;;
  start) if has_systemd; then systemd restart; else start_alone; fi ;;
  stop)
    ! has_systemd || systemd stop || true
    stop_alone
    ;;
  purge) purge ;;
  *)
    echo "setup.sh configure|start|stop|purge api|collector" >&2
    exit 2
    ;;
esac
