#!/bin/sh
# Makes this PC a device of @URL@: installs the collector that the api there has, and joins.
#   … | sh -s -- CODE [--name NAME] [--auto-update] [--url URL] [--dry-run]
#   … | sh -s -- --uninstall [--keep-data]
# Nothing is fetched from anywhere else. Nothing runs before the last line has come.
set -eu

api='@URL@'
# Of the key of its certificate, where no authority vouches for that.
pin='@PIN@'
# System, architecture, version, SHA-256, bytes, name.
packages='@PACKAGES@'

target=/opt/device-metrics
state=/var/lib/device-metrics/collector
work=

say() { echo "$*"; }
fail() {
  echo "$*" >&2
  exit 1
}

# fetch PATH FILE
fetch() {
  if command -v curl >/dev/null; then
    if [ -n "$pin" ]; then
      curl -fsS --connect-timeout 20 --retry 5 --retry-delay 3 -k --pinnedpubkey "sha256//$pin" -o "$2" "$api$1"
    else
      curl -fsS --connect-timeout 20 --retry 5 --retry-delay 3 -o "$2" "$api$1"
    fi
  elif command -v wget >/dev/null; then
    if [ -n "$pin" ]; then
      wget -q --no-check-certificate --pinnedpubkey="sha256//$pin" -O "$2" "$api$1"
    else
      wget -q -O "$2" "$api$1"
    fi
  else
    fail 'There is neither curl nor wget here'
  fi
}

architecture() {
  case $(uname -m) in
    x86_64 | amd64) echo x64 ;;
    aarch64 | arm64) echo arm64 ;;
    armv7l | armv6l) echo arm ;;
    *) uname -m ;;
  esac
}

# Sets version, sha256, size and name of the package for this PC.
choose_package() {
  system=$(uname -s | tr '[:upper:]' '[:lower:]')
  wanted="$system $(architecture)"
  line=$(echo "$packages" | grep "^$wanted " | tail -n 1)
  [ -n "$line" ] ||
    fail "$api has no package for this PC ($wanted); it has: $(echo "$packages" | cut -d ' ' -f 1,2 | tr '\n' ',' | sed 's/,$//'). Nothing was changed"
  # shellcheck disable=SC2086
  set -- $line
  version=$3 sha256=$4 size=$5 name=$6
}

# check_room FOLDER KIB: it can be written, or made, and has room.
check_room() {
  there=$1
  while [ ! -d "$there" ]; do there=$(dirname "$there"); done
  [ -w "$there" ] || [ "$(id -u)" != 0 ] || fail "$there cannot be written, as on a read-only system; nothing was changed"
  free=$(df -Pk "$there" | awk 'NR == 2 { print $4 }')
  [ "${free:-0}" -gt "$2" ] || fail "$there has ${free:-0} KiB free, and $2 are needed; nothing was changed"
}

check_system() {
  case $(ldd --version 2>&1 || true) in
    *musl*) fail 'The collector needs glibc, and this system has musl (Alpine); nothing was changed' ;;
  esac
  for command in tar gzip sha256sum useradd setpriv flock; do
    command -v "$command" >/dev/null || fail "This needs the command $command, which is missing here; nothing was changed"
  done
  check_room "$(dirname "$target")" 400000
  check_room /var/lib 20000
  check_room /etc 1000
}

# Whether the collector here has a credential of this api already.
has_joined() { grep -qF "\"url\": \"$api\"" "$state/credential.json" 2>/dev/null; }

download() {
  fetch "/api/v1/packages/$name" "$work/$name" || fail "$name did not come from $api; nothing was changed"
  came=$(wc -c <"$work/$name" | tr -d ' ')
  if [ "$came" != "$size" ] || ! echo "$sha256  $work/$name" | sha256sum -c - >/dev/null 2>&1; then
    fail "What came in the place of $name is something else ($came bytes of $size, or with another checksum): \
is there a sign-in page between this PC and $api, or did the connection end? Nothing was changed"
  fi
  tar -xzf "$work/$name" -C "$work" || fail 'The package cannot be unpacked; nothing was changed'
  "$work/device-metrics-collector/lib/node" --version >/dev/null ||
    fail 'The program does not run on this system; nothing was changed'
}

# Before anything is installed: a wrong code leaves nothing behind.
get_credential() {
  cd "$work"
  old=$state/credential.json
  [ ! -e "$old" ] || cp "$old" "$work/credential.json"
  [ -z "$device" ] || export DEVICE_NAME="$device"
  said=$(fetched collector join "$api" --code "$code") || fail 'This PC has not joined; nothing was changed'
  # Where the credential is now, it does not stay.
  echo "$said" | grep -vF "$work" || true
  unset DEVICE_NAME
  cd /
}

# A command of the program that was fetched, before it is installed.
fetched() {
  API_URL='' SETTINGS_FILE="$work/none" CREDENTIAL_PATH="$work/credential.json" \
    "$work/device-metrics-collector/bin/device-metrics" "$@"
}

# take_back: what could not be installed, on a PC that had nothing before.
take_back() {
  [ -z "$had" ] || fail 'It could not be installed, by the reason above; run this again once that is mended'
  # shellcheck disable=SC2086
  "$target/share/install.sh" --uninstall $kept >/dev/null 2>&1 || rm -rf "$target" "$target.new"
  [ ! -e "$work/credential.json" ] || (cd "$work" && fetched collector leave --force >/dev/null 2>&1) || true
  fail 'It could not be installed, by the reason above; what had been done is undone'
}

install_collector() {
  had='' kept=''
  [ ! -e "$target" ] || had=1
  if [ -e /etc/device-metrics ] || [ -e "$state" ]; then kept=--keep-data; fi
  DEVICE_METRICS_NO_START=1 "$work/device-metrics-collector/share/install.sh" || take_back
  if [ -e "$work/credential.json" ]; then
    install -o device-metrics-collector -g device-metrics-collector -m 0600 "$work/credential.json" "$state/credential.json"
  fi
  if [ -n "$device" ] && ! grep -q '^DEVICE_NAME=' /etc/device-metrics/collector.env; then
    echo "DEVICE_NAME=$device" >>/etc/device-metrics/collector.env
  fi
  if [ -n "$auto" ] && ! grep -q '^update:' /etc/device-metrics/collector.yaml; then
    echo 'update: auto' >>/etc/device-metrics/collector.yaml
  fi
  # What it starts must not hold the lock.
  "$target/share/setup.sh" start collector 9>&-
}

first_reading() {
  second=0
  while [ "$second" -lt 60 ]; do
    sent=$("$target/bin/device-metrics" collector status 2>/dev/null | sed -n 's/^sent *\([0-9]*\) samples.*/\1/p')
    if [ "${sent:-0}" -gt "$1" ]; then
      say "$api has the first $((sent - $1)) samples of this PC, among them:"
      "$target/bin/device-metrics" collector read memory | head -n 1
      return 0
    fi
    second=$((second + 1))
    sleep 1
  done
  say "It runs, but nothing has arrived at $api within a minute: device-metrics doctor says why" >&2
  return 1
}

uninstall() {
  script=$target/share/install.sh
  if [ -e /usr/lib/device-metrics ]; then fail 'It is installed as a Debian package here: apt purge device-metrics-collector'; fi
  [ -e "$script" ] || {
    say 'Device Metrics is not installed here'
    return 0
  }
  if [ -e "$target/lib/apps/api" ]; then fail "The server is installed here: $script --uninstall removes it"; fi
  say "This removes $target, its service$([ -n "$keep" ] || echo ', /etc/device-metrics and /var/lib/device-metrics')."
  [ -z "$dry" ] || return 0
  # shellcheck disable=SC2086
  "$script" --uninstall $keep
}

clean_up() { [ -z "$work" ] || rm -rf "$work"; }

main() {
  code='' dry='' action=join keep='' device='' auto=''
  while [ $# -gt 0 ]; do
    case $1 in
      --dry-run) dry=1 ;;
      --auto-update) auto=1 ;;
      --uninstall) action=uninstall ;;
      --keep-data) keep=--keep-data ;;
      --name)
        [ $# -ge 2 ] || fail '--name needs the name of this PC as a device'
        device=$2
        shift
        ;;
      --url)
        # Behind a proxy that has it under a path, which the api itself does not see.
        case ${2:-} in
          http://?* | https://?*) api=${2%/} ;;
          *) fail "--url needs the address of the api, as in https://example.org/metrics, got ${2:-nothing}" ;;
        esac
        shift
        ;;
      -*) fail "There is no option $1; there are --dry-run, --name NAME, --auto-update, --url URL, --uninstall and --keep-data" ;;
      *)
        [ -z "$code" ] || fail "One code is enough, got also $1"
        code=$1
        ;;
    esac
    shift
  done
  [ -n "$dry" ] || [ "$(id -u)" = 0 ] ||
    fail 'This makes a user and a service, which takes root: put sudo before sh, as in … | sudo sh -s -- CODE'
  if [ "$action" = uninstall ]; then
    uninstall
    return
  fi
  [ "$(uname -s)" = Linux ] || fail "This script is for Linux, and this is $(uname -s). For Windows there is $api/join.ps1"
  [ -n "$code" ] || has_joined || fail 'A code is missing: … | sh -s -- CODE. The page of the api makes one, or device-metrics api invite'
  if [ -e /usr/lib/device-metrics ]; then
    fail "Device Metrics is installed here as a Debian package. To join with that: device-metrics collector join $api --code CODE"
  fi
  choose_package
  check_system
  say "This PC becomes a device of $api:"
  say "  1. fetch $name ($((size / 1048576)) MiB, sha256 $sha256)"
  if has_joined; then say '  2. keep the credential that it has'; else say '  2. join with the code'; fi
  say "  3. put the program into $target, settings into /etc/device-metrics, data into $state"
  say '  4. make the user device-metrics-collector and the service device-metrics-collector'
  [ -z "$auto" ] || say "  5. take newer versions from $api by itself, signed by the key that it gets with the code"
  if [ -n "$dry" ]; then
    say 'That was a dry run: nothing was changed.'
    return
  fi
  # Free again once this one has ended, however it does.
  exec 9>/run/device-metrics-join.lock
  flock -n 9 || fail 'Another join.sh is at work on this PC: wait until it has ended; nothing was changed'
  trap clean_up EXIT
  trap 'exit 130' INT TERM HUP
  umask 022
  mkdir -p "$(dirname "$target")"
  work=$(mktemp -d "$(dirname "$target")/device-metrics-join-XXXXXX")
  download
  has_joined || get_credential
  before=0
  if [ -e "$target/bin/device-metrics" ]; then
    before=$("$target/bin/device-metrics" collector status 2>/dev/null | sed -n 's/^sent *\([0-9]*\) samples.*/\1/p')
  fi
  install_collector
  say "Device Metrics $version is installed; to remove it: $target/share/install.sh --uninstall"
  first_reading "${before:-0}"
}

main "$@"
