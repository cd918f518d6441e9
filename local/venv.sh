#!/bin/sh
# Makes .venv, or the folder that $VENV names, of a Python that Teal runs on, 3.11 or 3.12: one that is here, else one that uv fetches.
#
#   local/venv.sh UV_VERSION [PYTHON]     with PYTHON: of this one and no other
#
# .venv has pip and uv then. Where it cannot be made, one line says what to do, and nothing half-made is left.
set -eu
uv_version=$1
wanted=${2:-}
venv=${VENV:-.venv}

runs_teal() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2> /dev/null; }

give_up() {
    rm -rf $venv
    echo "$1" >&2
    exit 1
}

add_uv() { $venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv_version"; }

if [ -n "$wanted" ]; then
    if ! runs_teal "$wanted"; then
        echo "Teal needs Python 3.11 or 3.12, which $wanted is not; without PYTHON=, make looks for one itself" >&2
        exit 1
    fi
    "$wanted" -m venv $venv && add_uv || give_up "$wanted cannot make $venv: install its venv module (Debian: python3-venv)"
    exit
fi

for python in python3.12 python3.11 python3 python; do
    runs_teal "$python" || continue
    "$python" -m venv $venv > /dev/null 2>&1 && add_uv && exit
done

# Only another Python is here, or none: uv brings one. uv itself is here, or comes as a package of that other Python.
if ! uv=$(command -v uv); then
    tools=$(mktemp -d)
    trap 'rm -rf "$tools"' EXIT
    python3 -m venv "$tools" > /dev/null 2>&1 && "$tools/bin/python" -m pip install --quiet --disable-pip-version-check \
        "uv==$uv_version" || give_up "Teal needs Python 3.11 or 3.12 with venv: install one (python.org), or uv (astral.sh/uv), and call make again"
    uv=$tools/bin/uv
fi
echo "Fetching Python 3.12 with uv, because there is no 3.11 or 3.12 here"
rm -rf $venv
"$uv" venv --quiet --seed --python 3.12 $venv && add_uv ||
    give_up "uv could not fetch Python 3.12 (it comes from github.com): install Python 3.11 or 3.12, then: make PYTHON=python3.12 run"
