#!/usr/bin/env bash
# Makes or extends a virtual environment from a requirements file, once per content of that file.
#
#   tools/make_venv.sh PYTHON VENV REQUIREMENTS
#
# A stamp in the environment holds the checksum of what was installed; as long as it matches,
# nothing is done. pip's own chatter is kept in VENV/pip.log and shown only when it fails.
set -euo pipefail

python="$1" venv="$2" requirements="$3"
stamp="$venv/.$(basename "$requirements" .txt)"
checksum="$(cat "$requirements" setup.py package.xml | sha256sum | cut -d' ' -f1)"

fail() { echo "error: $*" >&2; exit 1; }

find_python() {
    local candidate
    for candidate in "$python" python3.13 python3.12 python3.11 python3.10; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' \
                2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "no Python 3.10 to 3.13 found; install one (apt install python3 python3-venv) or say" \
         "which to use: make venv PYTHON=/path/to/python3.12"
}

make_environment() {
    local chosen
    chosen="$(find_python)"
    "$chosen" -m venv "$venv" >/dev/null 2>&1 && return
    rm -rf "$venv"
    "$chosen" -m virtualenv -q "$venv" 2>/dev/null && return
    rm -rf "$venv"
    fail "$chosen cannot make virtual environments; run: apt install python3-venv"
}

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$checksum" ]; then
    touch "$stamp"
    exit 0
fi
[ -x "$venv/bin/python" ] || make_environment
echo "installing $requirements into $venv; this takes some minutes the first time"
pip=("$venv/bin/python" -m pip --disable-pip-version-check --no-input -q)
# The resolver of pip before 24 does not come to an end on the wheels of ROS 2.
if ! { "${pip[@]}" install 'pip==26.3' 'setuptools==82.0.1' &&
       "${pip[@]}" install -r "$requirements" &&
       "${pip[@]}" install --no-deps --no-build-isolation -e . ; } >"$venv/pip.log" 2>&1; then
    grep -E '^(ERROR|error)' "$venv/pip.log" | tail -n 5 >&2 || true
    fail "installing $requirements failed; the whole log is in $venv/pip.log"
fi
echo "$checksum" > "$stamp"
