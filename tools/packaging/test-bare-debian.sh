#!/usr/bin/env bash
# shellcheck disable=SC2015,SC2016,SC2009
# What a person does with the packages, on a bare Debian 12 that has no Node: the server by its .deb, a PC by the one line, and
# both gone again. Needs root, debootstrap and openssl; the mirror is the one that this machine has. The last line is the totals.
#   test-bare-debian.sh [FOLDER OF THE PACKAGES [A ROOT THAT DEBOOTSTRAP HAS MADE, OR WHERE IT IS TO MAKE ONE]]
set -uo pipefail
packages=$(readlink -f "${1:-$(dirname "$0")/../../dist/packages}")
deb=$(ls "$packages"/device-metrics_*.deb)
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$(readlink -f "$0")")/mirror.sh"
work=$(mktemp -d)
passed=0 failed=0
servers=()

clean_up() {
  for pid in "${servers[@]}"; do kill -KILL "$pid" 2>/dev/null; done
  wait 2>/dev/null
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT

ok() { passed=$((passed + 1)) && echo "  ok: $1"; }
broken() { failed=$((failed + 1)) && echo "  BROKEN: $1"; shift; printf '    %s\n' "$@" | head -n 40; }
# expect WHAT COMMAND...: the command succeeds.
expect() {
  local what=$1 said
  shift
  if said=$("$@" 2>&1); then ok "$what"; else broken "$what" "$said"; fi
}
# says WHAT TEXT PATTERN
says() { if grep -qE -- "$3" <<<"$2"; then ok "$1"; else broken "$1" "$2"; fi; }

# in ROOT COMMAND...: as root of that system, in processes and under a host name of its own.
in_root() {
  local root=$1
  shift
  unshare --mount --uts --pid --fork --kill-child --mount-proc="$root/proc" \
    sh -c 'hostname "$1"; root=$2; shift 2; exec chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"' \
    - "$(basename "$root")" "$root" "$@"
}

system() {
  cp -a "$base" "$work/$1"
  mkdir -p "$work/$1/dev"
  for device in null zero random urandom; do
    [ -e "$work/$1/dev/$device" ] || cp -a "/dev/$device" "$work/$1/dev/$device"
  done
}

# Everything that is there, but for what every installation of a package leaves.
files_of() {
  (cd "$work/$1" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./var/lib/dpkg -o -path ./var/cache -o -path ./var/log -o -path ./var/lib/systemd/deb-systemd-helper-enabled -o -path ./tmp -o -path ./run \) -prune -o -print |
    grep -vE '^\./etc/(passwd|group|shadow|gshadow)-$|^\./etc/\.pwd\.lock$|^\./var/lib/(systemd|apt)(/|$)|^\./etc/systemd' | sort && cat etc/passwd etc/group)
}

until_says() {
  local seconds=$1
  shift
  for _ in $(seq "$((seconds * 2))"); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.5
  done
  "$@"
}

# node_in SYSTEM PROGRAM: the process that runs a program there.
node_in() {
  local process
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/root" 2>/dev/null)" = "$work/$1" ] || continue
    tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q "apps/$2/dist/main.js" && echo "${process#/proc/}" && return 0
  done
  return 1
}

start_api() {
  in_root "$work/server" device-metrics api >>"$work/api.log" 2>&1 &
  servers+=($!)
  until_says 60 curl -kfs "$api/readyz"
}

stop_api() {
  local pid
  pid=$(node_in server api) && kill -TERM "$pid" && until_says 30 sh -c "! [ -e /proc/$pid ]"
}

# newer_deb VERSION: the package of the server under another version.
newer_deb() {
  local tree=$work/newer old
  old=$(dpkg-deb -f "$deb" Version)
  rm -rf "$tree" && dpkg-deb -R "$deb" "$tree" || return 1
  sed -i "s/^Version: .*/Version: $1/" "$tree/DEBIAN/control"
  for file in "$tree"/usr/lib/device-metrics/share/etc/*; do echo '# As it is in a newer version.' >>"$file"; done
  (cd "$tree/usr/lib/device-metrics" && sed -i "s/\"version\": *\"$old\"/\"version\": \"$1\"/" lib/apps/*/package.json share/package.json &&
    sed -i "s/device-metrics-collector_${old}_/device-metrics-collector_$1_/" lib/collector-package.json) || return 1
  dpkg-deb --root-owner-group -Znone -b "$tree" "$work/server/tmp/newer.deb" >/dev/null
}

# old_deb: a package as they were before: its settings are files of the package, which differ from those that come now.
old_deb() {
  local tree=$work/old
  dpkg-deb -R "$deb" "$tree" && mkdir -p "$tree/etc/device-metrics" || return 1
  sed -i 's/^Version: .*/Version: 0.0.9/' "$tree/DEBIAN/control"
  for file in "$tree"/usr/lib/device-metrics/share/etc/*; do
    (cat "$file" && echo '# As it was.') >"$tree/etc/device-metrics/${file##*/}"
    echo "/etc/device-metrics/${file##*/}" >>"$tree/DEBIAN/conffiles"
  done
  dpkg-deb --root-owner-group -Znone -b "$tree" "$work/other/tmp/old.deb" >/dev/null && rm -rf "$tree"
}

# bad_package VERSION: for the collectors, whole and signed by the api, but its program ends as soon as it collects.
bad_package() {
  local tree=$work/bad name
  name=device-metrics-collector_$1_linux_$("$node" -p process.arch)
  rm -rf "$tree" && mkdir "$tree" && tar -xzf "$(ls "$packages"/device-metrics-collector_*.tar.gz)" -C "$tree" || return 1
  sed -i "s/\"version\": *\"[^\"]*\"/\"version\": \"$1\"/" "$tree"/device-metrics-collector/lib/apps/collector/package.json
  mv "$tree"/device-metrics-collector/lib/apps/collector/dist/main.js "$tree"/device-metrics-collector/lib/apps/collector/dist/good.js
  echo "if (process.argv[2]) await import('./good.js'); else process.exit(9);" >"$tree"/device-metrics-collector/lib/apps/collector/dist/main.js
  tar -C "$tree" -cf - device-metrics-collector | gzip -1 >"$work/server/tmp/$name.tar.gz" &&
    mv "$work/server/tmp/$name.tar.gz" "$work/server/var/lib/device-metrics/api/packages/$name.tar.gz"
}

free_port() { "$node" -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'; }
node=$(command -v node)

echo 'A bare Debian 12'
base=${2:-$work/base}
[ -d "$base/etc" ] || debootstrap --variant=minbase --include=curl,wget bookworm "$base" "$(mirror)" >"$work/log" 2>&1 || {
  tail -n 3 "$work/log"
  echo 'Tests:       1 failed, 0 passed'
  exit 1
}
rm -rf "$base/var/cache/apt/archives" "$base/var/lib/apt/lists"
for name in server pc wrong other; do system "$name"; done
says 'it has no Node' "$(in_root "$work/pc" sh -c 'command -v node npm || echo none')" '^none$'

echo 'The server by its .deb'
bare=$(files_of server)
cp "$deb" "$work/server/tmp/server.deb"
said=$(in_root "$work/server" apt-get install -qy /tmp/server.deb 2>&1) && ok 'apt installs it' || broken 'apt installs it' "$said"
port=$(free_port)
printf '%s\n' "PORT=$port" TLS=auto HOST=0.0.0.0 >>"$work/server/etc/device-metrics/api.env"
in_root "$work/server" device-metrics api invite >"$work/first" 2>&1 || broken 'invite before the start' "$(cat "$work/first")"
api=https://127.0.0.1:$port
if start_api; then ok 'the api answers'; else broken 'the api answers' "$(cat "$work/api.log")"; fi
says 'it runs as a user of its own' "$(ps -eo uid,args | awk '/[d]evice-metrics\/lib\/apps\/api\/dist\/main.js/ { print $1; exit }')" '^[1-9][0-9]*$'
says 'its page is there' "$(curl -kfs "$api/" -H 'accept: text/html')" '<!doctype html>'
expect 'Swagger UI is there' curl -kfs "$api/docs" -o /dev/null
admin() { in_root "$work/server" device-metrics api "$@"; }
token=$(admin token create admin --name test | grep -o 'dm_admin_[^ ]*')
ask() { curl -kfs -H "authorization: Bearer $token" "$api$1"; }

echo 'A PC by the one line'
line=$(admin invite --url "$api" --uses 5 | tail -n 1)
says 'invite shows one line' "$line" '^curl .*--pinnedpubkey .*/join\.sh \| sudo sh -s -- [A-Z0-9-]+$'
line=${line/sudo /}
bare_pc=$(files_of pc)
said=$(in_root "$work/pc" sh -c "$line --dry-run" 2>&1)
says 'a dry run says what would be done' "$said" 'That was a dry run: nothing was changed'
[ "$(files_of pc)" = "$bare_pc" ] && ok 'and changes nothing' || broken 'and changes nothing' "$(diff <(echo "$bare_pc") <(files_of pc))"

# The PC goes on running: its first process is this shell.
mkfifo "$work/pc/tmp/commands"
in_root "$work/pc" sh -c 'while read -r command; do sh -c "$command" >/tmp/said 2>&1; echo $? >/tmp/status; done </tmp/commands' &
servers+=($!)
exec 5>"$work/pc/tmp/commands"
on_pc() {
  rm -f "$work/pc/tmp/status"
  echo "$*" >&5
  until_says 120 test -s "$work/pc/tmp/status" >/dev/null
  cat "$work/pc/tmp/said"
  return "$(cat "$work/pc/tmp/status" 2>/dev/null || echo 1)"
}
begin=$(date +%s)
if said=$(on_pc "$line"); then ok 'the PC joins'; else broken 'the PC joins' "$said"; fi
took=$(($(date +%s) - begin))
says 'it shows the first reading' "$said" '"metric_name"'
[ "$took" -le 30 ] && ok "within $took s" || broken "within 30 s" "took $took s"
arrived() { ask '/api/v1/devices' | grep -q '"device_name":"pc"'; }
if until_says 30 arrived; then ok 'its data arrives'; else broken 'its data arrives' "$(ask /api/v1/devices)"; fi
says 'and is reported' "$(ask '/api/v1/reports/metrics/pc?metric_name=system.memory.usage')" '"metric_name":"system.memory.usage"'
said=$(on_pc "$line")
says 'a second time it keeps its credential' "$said" 'keep the credential that it has'
says 'and goes on sending' "$said" 'has the first [0-9]+ samples'
count=$(ask /api/v1/collectors | grep -o '"id"' | wc -l)
[ "$count" = 1 ] && ok 'as the one collector that it was' || broken 'as the one collector that it was' "$(ask /api/v1/collectors)"
said=$(on_pc device-metrics doctor) && ok 'doctor finds nothing wrong' || broken 'doctor finds nothing wrong' "$said"

echo 'From a package that had its settings as files of its own'
old_deb || broken 'an older package can be made'
bare_other=$(files_of other)
expect 'the older one installs' in_root "$work/other" dpkg -i /tmp/old.deb
printf '%s\n' TLS=auto HOST=0.0.0.0 >>"$work/other/etc/device-metrics/api.env"
written=$(cat "$work/other"/etc/device-metrics/*)
cp "$deb" "$work/other/tmp/server.deb"
said=$(in_root "$work/other" dpkg -i /tmp/server.deb 2>&1 </dev/null) && ok 'the newer one asks nothing' || broken 'the newer one asks nothing' "$said"
[ "$(cat "$work/other"/etc/device-metrics/*)" = "$written" ] && ok 'and what was written stays' || broken 'and what was written stays' "$(ls "$work/other/etc/device-metrics")"
expect 'it is removed' in_root "$work/other" dpkg -r device-metrics
[ "$(cat "$work/other"/etc/device-metrics/*)" = "$written" ] && ok 'and what was written stays until it is purged' || broken 'and what was written stays until it is purged'
expect 'it is purged' in_root "$work/other" dpkg -P device-metrics
rm "$work/other/tmp/server.deb" "$work/other/tmp/old.deb"
now=$(files_of other)
[ "$now" = "$bare_other" ] && ok 'and nothing is left of it' || broken 'and nothing is left of it' "$(diff <(echo "$bare_other") <(echo "$now"))"

echo 'A PC without curl'
rm "$work/other/usr/bin/curl"
curl -kfs "$api/join.sh" >"$work/other/tmp/join.sh"
said=$(in_root "$work/other" sh /tmp/join.sh "${line##* }" --name by-wget 2>&1)
says 'joins by wget' "$said" 'has the first [0-9]+ samples'

echo 'A newer version'
sent() { on_pc device-metrics collector status | sed -n 's/^sent *\([0-9]*\) samples.*/\1/p'; }
sends() {
  local before
  before=$(sent)
  more() { [ "$(sent)" -gt "$before" ]; }
  if until_says 60 more; then ok "$1"; else broken "$1" "$(on_pc cat /var/lib/device-metrics/collector/log)"; fi
}
state_is() { ask /api/v1/updates | grep -qE "\"device_name\":\"pc\",\"version\":\"$1\"[^}]*\"state\":\"$2\""; }
comes_to() {
  if until_says 90 state_is "$2" "$3"; then ok "$1"; else broken "$1" "$(ask /api/v1/updates)" "$(on_pc tail -n 20 /var/lib/device-metrics/collector/log)"; fi
}
on_pc "echo 'update: auto' >>/etc/device-metrics/collector.yaml; echo UPDATE_INTERVAL=2s >>/etc/device-metrics/collector.env; /opt/device-metrics/share/setup.sh start collector" >/dev/null
devices=$(ask '/api/v1/devices' | grep -o '"device_name"' | wc -l)
newer_deb 9.0.0 || broken 'a newer package can be made'
said=$(in_root "$work/server" apt-get install -qy /tmp/newer.deb 2>&1 </dev/null) && ok 'apt installs it over the old one' || broken 'apt installs it over the old one' "$said"
[ -s "$work/server/etc/device-metrics/api.env" ] && grep -q "^PORT=$port" "$work/server/etc/device-metrics/api.env" && ok 'settings stay' || broken 'settings stay'
expect 'the api stops' stop_api
if start_api; then ok 'the newer api starts'; else broken 'the newer api starts' "$(tail -n 20 "$work/api.log")"; fi
says 'as the newer version' "$(ask /api/v1/admin/status)" '"version":"9.0.0"'
[ "$(ask '/api/v1/devices' | grep -o '"device_name"' | wc -l)" -ge "$devices" ] && ok 'with all data' || broken 'with all data'
comes_to 'the PC takes the newer version from the api by itself' 9.0.0 current
sends 'and sends'
says 'commands are of the newer version too' "$(on_pc device-metrics collector --version)" '^9\.0\.0$'
bad_package 9.0.1 || broken 'a bad package can be made'
comes_to 'from a bad one it goes back' 9.0.0 failed
says 'which it says' "$(on_pc cat /var/lib/device-metrics/collector/log)" 'Version 9.0.1 is given up, and 9.0.0 goes on: it ended by itself, with 9'
sends 'and goes on sending'
on_pc 'mount -t tmpfs -o size=20m tmpfs /var/lib/device-metrics/collector/update && chown device-metrics-collector /var/lib/device-metrics/collector/update' >/dev/null
bad_package 9.0.2 || broken 'a bad package can be made'
comes_to 'without room it stays as it is' 9.0.0 refused
says 'which it says' "$(ask /api/v1/updates)" '19 MiB are free at .*, and 2[0-9]{2} MiB are needed|20 MiB are free'
sends 'and goes on sending'
on_pc umount /var/lib/device-metrics/collector/update >/dev/null
rm -f "$work"/server/var/lib/device-metrics/api/packages/*_9.0.[12]_*

echo 'Where it goes wrong'
bare_wrong=$(files_of wrong)
nothing_left() {
  local now
  now=$(files_of wrong)
  [ "$now" = "$bare_wrong" ] && ok "$1: nothing is half-installed" || broken "$1: nothing is half-installed" "$(diff <(echo "$bare_wrong") <(echo "$now"))"
}
code=${line##* }
other=${code%????}0000
said=$(in_root "$work/wrong" sh -c "${line/$code/$other}" 2>&1)
says 'a wrong code is said' "$said" 'This PC has not joined; nothing was changed'
nothing_left 'a wrong code'
said=$(in_root "$work/wrong" sh -c "${line/sha256\/\/?/sha256\/\/_}" 2>&1)
nothing_left 'another certificate'
curl -kfs "$api/join.sh" >"$work/join.sh"
portal() { # MODE: what stands between answers otherwise.
  local modes=$1
  portal_port=$(free_port)
  "$node" -e "
    const [port, mode, file] = process.argv.slice(1);
    require('http').createServer((request, response) => {
      if (mode === 'html') return response.end('<html>Please sign in</html>');
      const all = require('fs').readFileSync(file);
      response.writeHead(200, { 'content-length': all.length });
      response.write(all.subarray(0, all.length / 2), () => request.socket.destroy());
    }).listen(port, '127.0.0.1')" "$portal_port" "$modes" "$(ls "$packages"/device-metrics-collector_*.tar.gz)" &
  servers+=($!)
  until_says 10 curl -s -o /dev/null "http://127.0.0.1:$portal_port" >/dev/null
  sed "s|^api=.*|api='http://127.0.0.1:$portal_port'|; s|^pin=.*|pin=''|; s|--retry 5 --retry-delay 3|--retry 1 --retry-delay 1|" "$work/join.sh" >"$work/wrong/tmp/join.sh"
}
portal html
said=$(in_root "$work/wrong" sh /tmp/join.sh "$code" 2>&1)
says 'a captive portal is named' "$said" 'is there a sign-in page between'
nothing_left 'a captive portal'
portal half
said=$(in_root "$work/wrong" sh /tmp/join.sh "$code" 2>&1)
says 'half a download is said' "$said" 'nothing was changed'
nothing_left 'half a download'
head -c $(($(wc -c <"$work/join.sh") / 2)) "$work/join.sh" >"$work/wrong/tmp/join.sh"
in_root "$work/wrong" sh /tmp/join.sh "$code" >/dev/null 2>&1
nothing_left 'half a script'
says 'a code that does not work says why' "$(in_root "$work/wrong" sh -c "curl -kfs $api/join.sh | sh -s -- ABCD" 2>&1)" 'not joined'

cp "$work/join.sh" "$work/wrong/tmp/join.sh"
join_wrong() { in_root "$work/wrong" sh -c "$1" 2>&1; }
says 'musl is named' "$(join_wrong "printf '#!/bin/sh\necho musl libc >&2\nexit 1\n' >/tmp/ldd && chmod 755 /tmp/ldd && PATH=/tmp:\$PATH sh /tmp/join.sh $code")" 'needs glibc.*nothing was changed'
says 'so is another architecture' "$(join_wrong "printf '#!/bin/sh\n[ \$1 = -m ] && echo riscv64 || echo Linux\n' >/tmp/uname && chmod 755 /tmp/uname && PATH=/tmp:\$PATH sh /tmp/join.sh $code; rm /tmp/uname /tmp/ldd")" 'has no package for this PC \(linux riscv64\); it has: linux '
says 'who is not root is told how' "$(join_wrong "setpriv --reuid 65534 --clear-groups sh /tmp/join.sh $code")" 'takes root: put sudo before sh'
says 'but may look what would be done' "$(join_wrong "setpriv --reuid 65534 --clear-groups sh /tmp/join.sh --dry-run $code")" 'That was a dry run: nothing was changed'
says 'two at once are told apart' "$(join_wrong "flock /run/device-metrics-join.lock sh /tmp/join.sh $code")" 'Another join.sh is at work on this PC.*nothing was changed'
says 'a read-only system is named' "$(join_wrong "mount --bind /opt /opt && mount -o remount,ro,bind /opt && sh /tmp/join.sh $code")" '/opt cannot be written'
says 'an address under a path is asked there' "$(join_wrong "sh /tmp/join.sh --url $api/metrics/ $code")" "did not come from $api/metrics; nothing was changed"
nothing_left 'all of these'
said=$(join_wrong "printf '#!/bin/sh\necho no user can be made >&2\nexit 1\n' >/tmp/useradd && chmod 755 /tmp/useradd && PATH=/tmp:\$PATH sh /tmp/join.sh $(admin invite | sed -n 's/^Code \([^,]*\),.*/\1/p')")
says 'what cannot be installed is undone' "$said" 'no user can be made'
says 'which it says' "$said" 'what had been done is undone'
nothing_left 'a user that cannot be made'
rm -f "$work"/wrong/tmp/*
said=$(join_wrong "groupadd device-metrics-collector; mount --bind /usr /usr && mount -o remount,ro,bind /usr; curl -kfs $api/join.sh | sh -s -- --name on-read-only $(admin invite | sed -n 's/^Code \([^,]*\),.*/\1/p')")
says 'a read-only /usr and a group of that name do not matter' "$said" 'has the first [0-9]+ samples'
says 'and it says how the program is called' "$said" 'the program is called /opt/device-metrics/bin/device-metrics'
says 'it uninstalls' "$(join_wrong "curl -kfs $api/join.sh | sh -s -- --uninstall")" 'removed, with its data'
nothing_left 'that'

echo 'Away again'
said=$(on_pc "curl -kfs $api/join.sh | sh -s -- --uninstall --keep-data")
says 'the PC can keep its data' "$said" '/var/lib/device-metrics and /etc/device-metrics stay'
expect 'and its credential is there' test -e "$work/pc/var/lib/device-metrics/collector/credential.json"
said=$(on_pc "$line")
says 'joining again takes it up' "$said" 'keep the credential that it has'
said=$(on_pc "curl -kfs $api/join.sh | sh -s -- --uninstall")
says 'the PC uninstalls' "$said" 'removed, with its data'
exec 5>&-
rm -f "$work"/pc/tmp/*
now=$(files_of pc)
[ "$now" = "$bare_pc" ] && ok 'and is as it was' || broken 'and is as it was' "$(diff <(echo "$bare_pc") <(echo "$now"))"
said=$(admin doctor 2>&1) && ok 'the doctor of the api finds nothing wrong' || broken 'the doctor of the api finds nothing wrong' "$said"
stop_api
said=$(in_root "$work/server" apt-get purge -qy device-metrics 2>&1) && ok 'the server is purged' || broken 'the server is purged' "$said"
rm -f "$work/server/tmp/server.deb"
now=$(files_of server)
[ "$now" = "$bare" ] && ok 'and nothing is left' || broken 'and nothing is left' "$(diff <(echo "$bare") <(echo "$now"))"

echo 'The server by its tarball, where files are their owner'"'"'s alone'
mkdir "$work/server/root/with space"
tar -xzf "$(ls "$packages"/device-metrics_*.tar.gz)" -C "$work/server/root/with space"
chmod -R go= "$work/server/root/with space"
in_server() { in_root "$work/server" sh -c "umask 077; export DEVICE_METRICS_NO_START=1; $1" 2>&1; }
says 'a read-only /etc is named' "$(in_server 'mount --bind /etc /etc && mount -o remount,ro,bind /etc && "/root/with space/device-metrics/share/install.sh"')" '/etc cannot be written.*nothing was changed'
said=$(in_server '"/root/with space/device-metrics/share/install.sh"') && ok 'it installs' || broken 'it installs' "$said"
says 'and gives the collector a token' "$(in_server 'cat /var/lib/device-metrics/collector/token')" '^dm_ingest_'
says 'what it wrote names the folder where it is' "$(cat "$work/server/etc/device-metrics/collector.yaml")" '^# /opt/device-metrics/share/collector.example.yaml'
echo "PORT=$port" >>"$work/server/etc/device-metrics/api.env"
api=http://127.0.0.1:$port
if start_api; then ok 'the api answers'; else broken 'the api answers' "$(tail -n 20 "$work/api.log")"; fi
stop_api
cp "$deb" "$work/server/tmp/server.deb"
says 'a .deb beside it is refused, and what to do is said' "$(in_server 'dpkg -i /tmp/server.deb')" '/opt/device-metrics/share/install.sh --uninstall --keep-data'
expect 'that goes' in_server '/opt/device-metrics/share/install.sh --uninstall --keep-data'
expect 'and then the .deb' in_server 'dpkg -i /tmp/server.deb'
says 'with the settings that were there' "$(cat "$work/server/etc/device-metrics/api.env")" "^PORT=$port"
if start_api; then ok 'the api answers'; else broken 'the api answers' "$(tail -n 20 "$work/api.log")"; fi
stop_api
said=$(in_server 'dpkg -P device-metrics') && ok 'it uninstalls' || broken 'it uninstalls' "$said"
rm -r "$work/server/root/with space" "$work/server/tmp/server.deb"
now=$(files_of server)
[ "$now" = "$bare" ] && ok 'and nothing is left' || broken 'and nothing is left' "$(diff <(echo "$bare") <(echo "$now"))"

echo "Tests:       $failed failed, $passed passed"
[ "$failed" = 0 ]
