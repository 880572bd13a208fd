#!/usr/bin/env bash
# shellcheck disable=SC2015,SC2016
# The services under systemd, in a Debian 12 that systemd-nspawn boots without a network: they start, are watched, and the collector
# replaces itself by a newer version within the hardening of its unit, goes back from a bad one, and is the newer one after a start of
# the machine; backups, restoring and moving go by the steps of docs/operations.md. Needs root, debootstrap and systemd-nspawn. The last line is the totals.
#   test-systemd.sh [FOLDER OF THE PACKAGES [A ROOT WITH SYSTEMD THAT DEBOOTSTRAP HAS MADE]]
set -uo pipefail
packages=$(readlink -f "${1:-$(dirname "$0")/../../dist/packages}")
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$(readlink -f "$0")")/mirror.sh"
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root

if [ -n "${2:-}" ]; then
  cp -a "$2" "$root"
else
  debootstrap --variant=minbase --include=curl,systemd,systemd-sysv,dbus bookworm "$root" "$(mirror)" >"$work/log" 2>&1 || {
    tail -n 3 "$work/log"
    echo 'Tests:       1 failed, 0 passed'
    exit 1
  }
fi
cp "$packages"/device-metrics_*.deb "$root/root/server.deb"
cp "$packages"/device-metrics-collector_*.tar.gz "$root/root/collector.tar.gz"

cat >"$root/root/tests" <<'END'
state=/var/lib/device-metrics
ok() { echo "  ok: $1"; }
broken() { echo "  BROKEN: $1"; shift; printf '    %s\n' "$@" | tail -n 40; }
says() { if echo "$2" | grep -qE -- "$3"; then ok "$1"; else broken "$1" "$2"; fi; }
until_says() {
  seconds=$1; shift
  for _ in $(seq "$((seconds * 2))"); do "$@" >/dev/null 2>&1 && return 0; sleep 0.5; done
  "$@"
}
journal() { journalctl -q -o cat -u device-metrics-collector | tail -n 30; }
main_pid() { systemctl show -p MainPID --value device-metrics-collector; }
runs_version() { tr '\0' ' ' <"/proc/$(main_pid)/cmdline" | grep -qF "$1"; }
sent() { device-metrics collector status | sed -n 's/^sent *\([0-9]*\) samples.*/\1/p'; }
sends() { before=$(sent); if until_says 40 more; then ok "$1"; else broken "$1" "$(journal)"; fi; }
more() { [ "$(sent)" -gt "$before" ]; }
logged() { journal | grep -qE "$1"; }
# package VERSION [MAIN]: for the collectors, and signed by the api; its program may be replaced by that text.
package() {
  rm -rf /root/tree && mkdir /root/tree && tar -xzf /root/collector.tar.gz -C /root/tree
  dist=/root/tree/device-metrics-collector/lib/apps/collector
  sed -i "s/\"version\": *\"[^\"]*\"/\"version\": \"$1\"/" "$dist/package.json"
  [ -z "${2:-}" ] || { mv "$dist/dist/main.js" "$dist/dist/good.js" && echo "$2" >"$dist/dist/main.js"; }
  name=device-metrics-collector_$1_linux_$architecture.tar.gz
  tar -C /root/tree -cf - device-metrics-collector | gzip -1 >/root/made && mv /root/made "$state/api/packages/$name"
}

first_start() {
  said=$(apt-get install -qy /root/server.deb 2>&1) && ok 'apt installs it' || broken 'apt installs it' "$said"
  architecture=$(/usr/lib/device-metrics/lib/node -p process.arch)
  until_says 60 curl -fs http://127.0.0.1:3000/readyz >/dev/null && ok 'the api runs as soon as it is installed' || broken 'the api runs as soon as it is installed' "$(journalctl -u device-metrics-api)"
  for program in api collector; do
    said=$(systemctl show -p ActiveState,NRestarts,WatchdogUSec "device-metrics-$program" | tr '\n' ' ')
    says "systemd runs and watches the $program" "$said" 'NRestarts=0 .*ActiveState=active|ActiveState=active.*NRestarts=0|WatchdogUSec=1min'
  done
  until_says 30 logged . ; sends 'the collector of this machine sends'
  device-metrics api user add anna --role admin >/dev/null
  sends 'and goes on once people have to sign in'
  says 'by the token that came with the package' "$(device-metrics collector status)" '^sends to .*, with the token [0-9a-f]+$'
  code=$(device-metrics api invite | sed -n 's/^Code \([^,]*\),.*/\1/p')
  said=$(device-metrics collector join http://127.0.0.1:3000 --code "$code" 2>&1)
  says 'it joins, as the device that it was' "$said" '^Joined as '
  echo 'update: auto' >>/etc/device-metrics/collector.yaml
  echo UPDATE_INTERVAL=2s >>/etc/device-metrics/collector.env
  systemctl restart device-metrics-collector
  pid=$(main_pid)
  mkdir -p "$state/api/packages"
  package 9.0.0
  if until_says 120 runs_version update/9.0.0; then ok 'it takes a newer version'; else broken 'it takes a newer version' "$(journal)"; fi
  [ "$(main_pid)" = "$pid" ] && ok 'in the same process, so that systemd sees no restart' || broken 'in the same process' "$(journal)"
  until_says 30 sh -c 'systemctl show -p NRestarts --value device-metrics-collector | grep -qx 0' && ok 'without a restart' || broken 'without a restart'
  sends 'the newer version sends'
  package 9.0.1 "if (process.argv[2]) await import('./good.js'); else process.exit(9);"
  until_says 90 logged 'Version 9.0.1 is given up, and 9.0.0 goes on: it ended by itself, with 9' && ok 'it goes back from one that ends' || broken 'it goes back from one that ends' "$(journal)"
  runs_version update/9.0.0 && ok 'to the one before' || broken 'to the one before' "$(journal)"
  sends 'which sends'
  rm "$state/api/packages"/*_9.0.1_*
  package 9.0.2 "process.exit(3);"
  until_says 90 logged 'Version 9.0.2 is not taken, and 9.0.0 goes on' && says 'one that does not start is not taken' "$(journal)" 'it cannot be started: it ended with 3 and said nothing' || broken 'one that does not start is not taken' "$(journal)"
  sends 'and the one before sends'
  journal | grep -q 'offers no newer version: 400' && broken 'the api is told so' "$(journal)" || ok 'the api is told so'
  rm "$state/api/packages"/*_9.0.2_*
  said=$(systemctl show -p NRestarts,ActiveState device-metrics-collector | tr '\n' ' ')
  says 'systemd has noticed none of it' "$said" 'NRestarts=0'
  kill -STOP "$(main_pid)"; stopped=$(main_pid)
  until_says 100 sh -c "[ \"\$(systemctl show -p MainPID --value device-metrics-collector)\" != $stopped ]" && ok 'one that hangs is started again by the watchdog' || broken 'one that hangs is started again by the watchdog'
  until_says 30 runs_version update/current && [ "$(device-metrics collector --version)" = 9.0.0 ] && ok 'as the newer version' || broken 'as the newer version' "$(journal)"
}

# As docs/operations.md has it.
backups_and_move() {
  settings=/etc/device-metrics/api.env
  sed -i 's/^BACKUP_SCHEDULE=.*/BACKUP_SCHEDULE=* * * * */; s/^BACKUP_KEEP=.*/BACKUP_KEEP=1/' "$settings"
  systemctl restart device-metrics-api
  backups() { ls "$state/api/backups"/device-metrics-*.db 2>/dev/null; }
  if until_says 90 backups; then ok 'a backup is made on schedule'; else broken 'a backup is made on schedule' "$(journalctl -u device-metrics-api)"; fi
  first=$(backups)
  until_says 90 sh -c "ls $state/api/backups/device-metrics-*.db && ! [ -e $first ]" && ok 'and as many stay as are to be kept' || broken 'and as many stay as are to be kept' "$(backups)"
  [ "$(backups | wc -l)" = 1 ] || broken 'one stays' "$(backups)"
  copy=$state/api/copy.db
  cp -p "$(backups)" "$copy"
  said=$(device-metrics api restore "$copy" 2>&1) && broken 'it is not restored while the api runs' "$said" || says 'it is not restored while the api runs' "$said" 'stop it'
  systemctl stop device-metrics-api
  cp "$copy" /root/copy.db
  says 'one that the user of the service may not read is named so' "$(device-metrics api check /root/copy.db 2>&1)" 'it may not be read by the user'
  said=$(device-metrics api check "$copy" 2>&1) && ok 'a backup is checked' || broken 'a backup is checked' "$said"
  said=$(device-metrics api restore "$copy" 2>&1) && ok 'and restored' || broken 'and restored' "$said"
  systemctl start device-metrics-api
  curl -fs http://127.0.0.1:3000/readyz >/dev/null && ok 'the api starts with it' || broken 'the api starts with it' "$(journalctl -u device-metrics-api)"
  sends 'and the collector sends'
  systemctl stop device-metrics-api
  said=$(device-metrics api move /srv/device-metrics 2>&1) && broken 'a folder of root is refused' "$said" || says 'a folder of root is refused, with what to do' "$said" 'Nothing was moved: .*sudo install -d -o device-metrics -g device-metrics -m 0700 /srv/device-metrics'
  install -d -o device-metrics -g device-metrics -m 0700 /srv/device-metrics
  said=$(device-metrics api move /srv/device-metrics 2>&1)
  says 'the database moves' "$said" 'set DATABASE_PATH=/srv/device-metrics/metrics.db in /etc/device-metrics/api.env'
  mkdir -p /etc/systemd/system/device-metrics-api.service.d
  printf '[Service]\nReadWritePaths=/srv/device-metrics\n' >/etc/systemd/system/device-metrics-api.service.d/override.conf
  sed -i 's|^DATABASE_PATH=.*|DATABASE_PATH=/srv/device-metrics/metrics.db|' "$settings"
  systemctl daemon-reload
  systemctl start device-metrics-api
  curl -fs http://127.0.0.1:3000/readyz >/dev/null && ok 'the api starts where it is now' || broken 'the api starts where it is now' "$(journalctl -u device-metrics-api)"
  sends 'and takes samples'
  rm -rf /etc/systemd/system/device-metrics-api.service.d
}

second_start() {
  until_says 60 curl -fs http://127.0.0.1:3000/readyz >/dev/null && ok 'after a start of the machine the api runs' || broken 'after a start of the machine the api runs'
  until_says 30 runs_version update/current && [ "$(device-metrics collector --version)" = 9.0.0 ] && ok 'and the newer version of the collector' || broken 'and the newer version of the collector' "$(journal)"
  sends 'which sends'
  said=$(device-metrics doctor 2>&1) && ok 'doctor finds nothing wrong' || broken 'doctor finds nothing wrong' "$said"
  backups_and_move
  rm -rf /srv/device-metrics
  sed -i "s|^DATABASE_PATH=.*|DATABASE_PATH=$state/api/metrics.db|" "$settings"
  said=$(apt-get install --reinstall -qy /root/server.deb 2>&1) && ok 'apt installs over it' || broken 'apt installs over it' "$said"
  until_says 30 runs_version /usr/lib/device-metrics && ok 'and what a person installs comes before what was fetched' || broken 'what a person installs comes first' "$(journal)"
  said=$(apt-get purge -qy device-metrics 2>&1) && ok 'it is purged' || broken 'it is purged' "$said"
  said=$(find /etc/device-metrics "$state" /etc/systemd /lib/systemd /usr/lib/device-metrics -name '*device-metrics*' 2>/dev/null)
  [ -z "$said" ] && ok 'and nothing is left' || broken 'and nothing is left' "$said"
}

export DEBIAN_FRONTEND=noninteractive
if [ -e /root/said-1 ]; then
  second_start >/root/said-2 2>&1
  touch /root/ended-2
else
  first_start >/root/said-1 2>&1
  touch /root/ended-1
fi
sync
poweroff
END
cat >"$root/etc/systemd/system/tests.service" <<'END'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
StandardInput=null
ExecStart=/bin/sh /root/tests
[Install]
WantedBy=graphical.target
END
mkdir -p "$root/etc/systemd/system/graphical.target.wants"
ln -sf ../tests.service "$root/etc/systemd/system/graphical.target.wants/tests.service"

# Where both versions of control groups are mounted it takes the first.
boot() {
  timeout 600 unshare --mount sh -c 'umount /sys/fs/cgroup/unified 2>/dev/null; exec systemd-nspawn -q -D "$1" -b --register=no --keep-unit --private-network --machine=device-metrics-test' - "$root" </dev/null >>"$work/boot" 2>&1
}
echo 'Under systemd'
said=
for number in 1 2; do
  boot
  part=$(cat "$root/root/said-$number" 2>/dev/null) || part="  BROKEN: start $number of the machine
$(tail -n 10 "$work/boot")"
  [ -e "$root/root/ended-$number" ] || part+=$'\n'"  BROKEN: start $number of the machine does not come to its end"
  echo "$part"
  said+=$part$'\n'
done
failed=$(grep -c '^  BROKEN:' <<<"$said")
echo "Tests:       $failed failed, $(grep -c '^  ok:' <<<"$said") passed"
[ "$failed" = 0 ]
