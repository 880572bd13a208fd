#!/bin/sh
# Installs what this archive holds, where no Debian package fits: ./install.sh; again with a newer archive to upgrade.
#   --no-start            leave the services stopped
#   --uninstall           remove everything; --keep-data leaves /var/lib/device-metrics and /etc/device-metrics
# The program goes to /opt/device-metrics, settings to /etc/device-metrics, data to /var/lib/device-metrics.
set -eu
# The services read what is installed here, whatever umask root has.
umask 022

target=/opt/device-metrics
units=/etc/systemd/system
link=/usr/local/bin/device-metrics

fail() {
  echo "$*" >&2
  exit 1
}

programs() { for program in api collector; do [ ! -e "$1/lib/apps/$program" ] || echo "$program"; done; }

install_all() {
  from=$(dirname "$(readlink -f "$0")")/..
  [ -x "$from/lib/node" ] || fail "install.sh belongs into the folder that it came in"
  "$from/lib/node" --version >/dev/null ||
    fail "The Node of this archive does not run here; it is for Linux with glibc, $(file_architecture "$from")"
  [ ! -e /usr/lib/device-metrics ] || fail 'Device Metrics is installed as a Debian package here: use apt for it'
  for folder in "$(dirname "$target")" /etc /var/lib; do
    [ ! -d "$folder" ] || [ -w "$folder" ] || fail "$folder cannot be written, as on a read-only system; nothing was changed"
  done
  rm -rf "$target.new"
  cp -R "$from" "$target.new"
  chown -R 0:0 "$target.new"
  chmod -R u=rwX,go=rX "$target.new"
  rm -rf "$target.old"
  [ ! -e "$target" ] || mv "$target" "$target.old"
  mv "$target.new" "$target"
  rm -rf "$target.old"
  { mkdir -p "$(dirname "$link")" && ln -sf "$target/bin/device-metrics" "$link"; } 2>/dev/null ||
    echo "$link cannot be made here; the program is called $target/bin/device-metrics" >&2
  for program in $(programs "$target"); do
    if [ -d /etc/systemd ] || command -v systemctl >/dev/null; then
      mkdir -p "$units"
      sed "s|/usr/lib/device-metrics|$target|g" "$target/share/units/device-metrics-$program.service" \
        >"$units/device-metrics-$program.service"
    fi
  done
  for program in $(programs "$target"); do "$target/share/setup.sh" configure "$program"; done
}

file_architecture() { sed -n 's/.*"architecture": *"\([^"]*\)".*/\1/p' "$1/share/package.json"; }

uninstall() {
  [ -e "$target" ] || [ -e /var/lib/device-metrics ] || [ -e /etc/device-metrics ] || {
    echo 'Device Metrics is not installed here'
    return 0
  }
  if [ -e "$target/share/setup.sh" ]; then
    # The collector may say good-bye while it can; the api need not be there for it.
    if [ -z "$keep" ] && [ -e /var/lib/device-metrics/collector/credential.json ]; then
      "$target/bin/device-metrics" collector leave --force >/dev/null 2>&1 || true
    fi
    for program in $(programs "$target"); do "$target/share/setup.sh" stop "$program"; done
    if [ -n "$keep" ]; then touch /var/lib/device-metrics/keep; fi
    for program in $(programs "$target"); do "$target/share/setup.sh" purge "$program"; done
    rm -f /var/lib/device-metrics/keep
  fi
  rm -f "$units/device-metrics-api.service" "$units/device-metrics-collector.service"
  ! [ -d /run/systemd/system ] || systemctl daemon-reload
  [ -n "$keep" ] || rm -rf /etc/device-metrics
  [ "$(readlink "$link" 2>/dev/null || true)" != "$target/bin/device-metrics" ] || rm -f "$link"
  rm -rf "$target" "$target.new" "$target.old"
  if [ -n "$keep" ]; then
    echo 'Device Metrics is removed; /var/lib/device-metrics and /etc/device-metrics stay'
  else
    echo 'Device Metrics is removed, with its data'
  fi
}

action=install keep=
for argument; do
  case $argument in
    --no-start) export DEVICE_METRICS_NO_START=1 ;;
    --uninstall) action=uninstall ;;
    --keep-data) keep=1 ;;
    *) fail "install.sh knows --no-start, --uninstall and --keep-data, got $argument" ;;
  esac
done
[ "$(id -u)" = 0 ] || fail "install.sh makes users and services, which takes root: sudo $0 $*"
if [ "$action" = install ]; then install_all; else uninstall; fi
