# Sourced by ./run, ./test and ./bench: what is needed before `cargo xtask` itself can be built.
# Everything else is looked for, and installed after asking, by `cargo xtask`.

if ! command -v cargo >/dev/null 2>&1; then
    echo "Rust is missing. Install Rust 1.95 or newer (https://www.rust-lang.org/tools/install), then try again." >&2
    exit 1
fi

if ! command -v cc >/dev/null 2>&1; then
    install="apt-get install -y --no-install-recommends gcc libc6-dev make"
    [ "$(id -u)" = 0 ] || install="sudo $install"
    consent=${CI:-}
    for argument in "$@"; do
        [ "$argument" = -y ] && consent=yes
    done
    if command -v apt-get >/dev/null 2>&1 && [ -z "$consent" ] && [ -t 0 ]; then
        printf 'A C compiler is missing. Install it now with "%s"? [Y/n] ' "$install"
        read -r consent
        case $consent in [nN]*) consent= ;; *) consent=yes ;; esac
    fi
    if ! command -v apt-get >/dev/null 2>&1 || [ -z "$consent" ]; then
        echo "A C compiler is missing. On Debian or Ubuntu: $install" >&2
        exit 1
    fi
    # shellcheck disable=SC2086 # the words of the command
    ${install%%apt-get*}apt-get update && $install
fi
