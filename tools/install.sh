#!/bin/sh
# Make .venv with the newest suitable Python, and install exactly what the lock file names.
set -eu
lock=$1

suitable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if suitable "$name"; then
            echo "$name"
            return
        fi
    done
    echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3" >&2
    exit 1
}

make_venv() {
    "$python" -m ensurepip --version >/dev/null 2>&1 || get_venv
    "$python" -m venv .venv
}

get_venv() {
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "Python's venv module is missing: install python$version-venv" >&2
        exit 1
    fi
    apt-get update -qq </dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "python$version-venv" </dev/null >/dev/null
}

if ! suitable .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    make_venv
fi
echo "Installing what $lock names into .venv ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --require-hashes -r "$lock" </dev/null
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --no-deps --no-build-isolation --editable . </dev/null
