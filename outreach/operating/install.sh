#!/bin/sh
# Installs this bundle with no network: ./install /opt/outreach-VERSION
# The folder must not exist yet; data and settings are elsewhere (OUTREACH_INSTANCE_PATH) and are not touched.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-}
wanted=$(cat "$here/python")
fail() { echo "$*" >&2; exit 1; }

[ -n "$target" ] || fail "Say where: ./install /opt/outreach"
[ ! -e "$target" ] || fail "$target is there already. Install beside it, then point your link to the new one."
(cd "$here" && sha256sum --check --quiet SHA256SUMS) || fail "This bundle is damaged: copy it again."

python=$(command -v "${PYTHON:-python$wanted}" || command -v python3) || fail "Python $wanted is needed."
"$python" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$wanted')" ||
  fail "The packages in this bundle fit Python $wanted; $python is another one. Name the right one: PYTHON=… ./install …"
"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python has no venv module. On Debian and Ubuntu: python3-venv."

if [ "$(id -u)" = 0 ] && command -v runuser >/dev/null && ! runuser -u nobody -- "$python" -c '' 2>/dev/null; then
  echo "Only root can run $python, so the service's own user cannot: name another one, PYTHON=/usr/bin/python$wanted ./install …" >&2
fi

trap 'rm -rf "$target"' EXIT
mkdir -p "$target"
target=$(cd "$target" && pwd)
cp -R "$here/app/." "$target"
mkdir -p "$target/instance"
chmod 700 "$target/instance"
"$python" -m venv "$target/.venv"
"$target/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index \
  --find-links "$here/wheels" --require-hashes --requirement "$here/requirements.lock"
"$target/.venv/bin/python" -m compileall -q "$target/outreach"
(cd "$target" && "$target/.venv/bin/python" -c 'import outreach.app')
trap - EXIT
echo "Installed in $target. Next: docs/operating.md, «One machine»."
