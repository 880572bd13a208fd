#!/usr/bin/env bash
# shellcheck disable=SC2015
# The image of the Containerfile, built on a bare Debian without a registry: it runs without rights on a read-only root, answers, is
# healthy, ends in time, and keeps its data. Needs podman. The last line is the totals.
#   test-container.sh ROOT THAT DEBOOTSTRAP HAS MADE
set -uo pipefail
# In a mount namespace of its own: crun does not work where both versions of control groups are mounted.
[ -n "${UNSHARED:-}" ] || UNSHARED=1 exec unshare --mount "$(readlink -f "$0")" "$(readlink -f "$1")"
umount /sys/fs/cgroup/unified 2>/dev/null
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
podman() { command podman --root "$work/root" --runroot "$work/run" --storage-driver vfs --cgroup-manager cgroupfs "$@"; }
name=device-metrics-test-$$
passed=0 failed=0
ok() { passed=$((passed + 1)) && echo "  ok: $1"; }
broken() { failed=$((failed + 1)) && echo "  BROKEN: $1" && printf '    %s\n' "${2:-}" | head -n 30; }
clean_up() {
  podman rm -f -t 0 "$name" >/dev/null 2>&1
  podman volume rm -f "$name" >/dev/null 2>&1
  podman rmi -f "localhost/$name" "localhost/$name-base" >/dev/null 2>&1
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT

echo 'The container'
tar -C "$1" --one-file-system -c . | podman import -q - "localhost/$name-base" >/dev/null || broken 'a base from a local root'
said=$(podman build -q --format docker --network none --build-arg BASE="localhost/$name-base" -t "localhost/$name" . 2>&1) &&
  ok 'it is built without a network' || broken 'it is built without a network' "$said"
limits=(--ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --read-only --tmpfs /tmp --cap-drop all --security-opt no-new-privileges --network host -v "$name:/data" -e PORT=38471 -e HOST=127.0.0.1)
said=$(podman run --rm "${limits[@]}" "localhost/$name" api token create admin --name test 2>&1)
token=$(grep -o 'dm_admin_[^ ]*' <<<"$said") && ok 'commands work on its volume' || broken 'commands work on its volume' "$said"
podman run -d --name "$name" "${limits[@]}" "localhost/$name" >/dev/null || broken 'it starts'
api=https://127.0.0.1:38471
ready=
for _ in $(seq 120); do
  curl -kfs "$api/readyz" >/dev/null && ready=1 && break
  sleep 0.5
done
[ -n "$ready" ] && ok 'it answers' || broken 'it answers' "$(podman logs "$name" 2>&1)"
[ "$(podman exec "$name" id -u)" = 10001 ] && ok 'as a user without rights' || broken 'as a user without rights'
said=$(podman healthcheck run "$name" 2>&1) && ok 'its health check finds it healthy' || broken 'its health check finds it healthy' "$said"
! podman exec "$name" sh -c 'touch /opt/x || touch /etc/x' 2>/dev/null && ok 'its root is read-only' || broken 'its root is read-only'
sample='{"device_name": "boxed", "metric_name": "m", "value": 1}'
curl -kfs -H "authorization: Bearer $token" "$api/api/v1/aggregator/metrics/" -H 'content-type: application/json' -d "$sample" >/dev/null &&
  ok 'it takes a sample' || broken 'it takes a sample'
begin=$(date +%s%N)
podman stop -t 30 "$name" >/dev/null
took=$((($(date +%s%N) - begin) / 1000000))
[ "$took" -lt 6000 ] && ok "SIGTERM ends it within $took ms" || broken 'SIGTERM ends it within 6 s' "took $took ms"
[ "$(podman inspect "$name" --format '{{.State.ExitCode}}')" = 0 ] && ok 'with exit code 0' || broken 'with exit code 0'
podman start "$name" >/dev/null
kept=
for _ in $(seq 120); do
  curl -kfs -H "authorization: Bearer $token" "$api/api/v1/devices" | grep -q boxed && kept=1 && break
  sleep 0.5
done
[ -n "$kept" ] && ok 'its volume keeps the data' || broken 'its volume keeps the data'
echo "Tests:       $failed failed, $passed passed"
[ "$failed" = 0 ]
