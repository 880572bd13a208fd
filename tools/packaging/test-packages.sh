#!/usr/bin/env bash
# shellcheck disable=SC2015,SC2016
# Whether the packages in dist/packages are what they should be: same bytes twice, scripts and Debian packages without errors,
# hardened units, every licence; then what a person does with them, on a bare Debian, under systemd and
# in a container. The last lines are the totals.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
packages=$PWD/dist/packages
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# expect WHAT COMMAND...
expect() {
  local what=$1 said
  shift
  if said=$("$@" 2>&1); then
    passed=$((passed + 1)) && echo "  ok: $what"
  else
    failed=$((failed + 1)) && echo "  BROKEN: $what"
    printf '%s\n' "$said" | head -n 30
  fi
}

same_bytes() {
  node tools/packaging/package.mjs --out "$work/again" >/dev/null || return 1
  diff <(cd "$packages" && sha256sum -- *) <(cd "$work/again" && sha256sum -- *)
}

# Exposure of a unit is at most TENTHS.
exposure() {
  local found
  found=$(systemd-analyze security --offline=true "tools/packaging/files/$1" | sed -n 's/.*Overall exposure level[^:]*: \([0-9]*\)\.\([0-9]\).*/\1\2/p')
  echo "$1: $found tenths of at most $2"
  [ "$found" -le "$2" ]
}

# Each npm package of the list of contents has its licence, and the list has each package whose files are there.
licences() {
  local archive
  for archive in "$packages"/*.tar.gz; do
    rm -rf "$work/tree" && mkdir "$work/tree"
    tar -xzf "$archive" -C "$work/tree" --strip-components=1
    node -e '
      const { readFileSync, readdirSync } = require("node:fs");
      const [folder] = process.argv.slice(1);
      const { components } = JSON.parse(readFileSync(`${folder}/share/sbom.cdx.json`, "utf8"));
      const texts = readFileSync(`${folder}/share/licences.txt`, "utf8").split("=".repeat(80)).map((part) => part.trim());
      if (new Set(components.map((one) => one["bom-ref"])).size < components.length) throw new Error("a package is in the list twice");
      const missing = components.filter(({ name, version }) => {
        const text = name === "node" ? texts.find((one) => one.startsWith("Node.js ")) : texts.find((one) => one.startsWith(`${name} ${version},`));
        return text === undefined || text.split("\n").length < 4;
      });
      const known = new Set(components.map(({ name }) => name));
      const bundle = readdirSync(folder, { recursive: true }).filter((file) => /\.js$/.test(file) && /(dist|node_modules)\/[^/]+\.js$/.test(file));
      const named = new Set(bundle.flatMap((file) => [...readFileSync(`${folder}/${file}`, "utf8").matchAll(/^\/\/ (?:\.\.\/)*node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\//gm)].map(([, name]) => name)));
      const unknown = [...named].filter((name) => !known.has(name));
      if (named.size < 20) throw new Error(`only ${named.size} packages were found in the bundle`);
      if (missing.length + unknown.length > 0) throw new Error(`without licence: ${missing.map(({ name }) => name)}; not in the list: ${unknown}`);
    ' "$work/tree" || return 1
  done
}

echo 'The packages'
expect 'the same sources make the same bytes' same_bytes
expect 'every licence is in them' licences
! command -v shellcheck >/dev/null ||
  expect 'shellcheck finds nothing' shellcheck -x tools/packaging/files/device-metrics tools/packaging/files/*.sh apps/api/join/join.sh tools/packaging/*.sh
! command -v lintian >/dev/null || expect 'lintian finds no error' lintian --fail-on error "$packages"/*.deb
if command -v systemd-analyze >/dev/null; then
  expect 'the unit of the api is hardened' exposure device-metrics-api.service 20
  expect 'the unit of the collector is hardened' exposure device-metrics-collector.service 25
fi
echo "Tests:       $failed failed, $passed passed"
tools/packaging/test-bare-debian.sh "$packages" "$work/base" || failed=1
! command -v systemd-nspawn >/dev/null || tools/packaging/test-systemd.sh "$packages" || failed=1
! command -v podman >/dev/null || tools/packaging/test-container.sh "$work/base" || failed=1
[ "$failed" = 0 ]
