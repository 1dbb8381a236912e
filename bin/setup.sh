# What bin/serve and bin/test share; sourced by them from the project's folder.

fail() { # SENTENCE...: say why, and end
    printf '%s\n' "$@" >&2
    exit 1
}

# A signal is heard while a step runs, and no step outlives us.
stop() { # STATUS
    kill $(jobs -p) 2>/dev/null || true
    wait
    exit "$1"
}
trap 'stop 130' INT
trap 'stop 143' TERM

step() { # COMMAND...: run it as a step
    "$@" &
    wait $!
}

find_python() { # set $python to a Python that is new enough
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return
    done
    fail "Parley needs Python 3.11 or newer, and found none. See https://www.python.org/downloads/"
}

make_venv() {
    [ -x .venv/bin/python ] && [ -x .venv/bin/pip ] && return
    find_python
    "$python" -c 'import ensurepip, venv' 2>/dev/null || fail \
        "Python's venv module is missing. On Debian and Ubuntu the package python3-venv holds it:" \
        "    apt-get install python3-venv"
    echo "Making .venv with $("$python" --version)"
    step "$python" -m venv --clear .venv
}

install() { # FILE: what the requirements FILE asks for, unless its text is the one last installed
    cmp -s "$1" ".venv/$1" && return
    echo "Installing $1"
    step .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$1"
    cp "$1" ".venv/$1"
}
