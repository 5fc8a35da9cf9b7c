# Sourced by the scripts beside it: where things are, and how they are built.
# Bash 3.2 has to understand all of it.
# shellcheck shell=bash

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
export STACK_ROOT=$root

target=${CARGO_TARGET_DIR:-$root/target}
case $target in
    /*) ;;
    *) target=$root/$target ;;
esac

# shellcheck disable=SC2034  # For those who source this.
services="customer-service accounts-service transactions-service orders-service"
failpoints=customer-service/failpoints,accounts-service/failpoints,transactions-service/failpoints
failpoints=$failpoints,orders-service/failpoints
built=$target/debug/.built-by-scripts

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# Takes settings from .env that the environment does not have.
load_env() {
    [ -f "$root/.env" ] || return 0
    local line name
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
            [A-Z]*=*) ;;
            *) continue ;;
        esac
        name=${line%%=*}
        if [ -z "${!name+set}" ]; then
            export "${name}=${line#*=}"
        fi
    done <"$root/.env"
}

# All programs at once, so that each dependency is compiled once, with one set of features.
build_programs() {
    need_tools
    (cd "$root" && cargo build --locked -p stack -p client -p customer-service -p accounts-service \
        -p transactions-service -p orders-service --features "$failpoints") || return 1
    touch "$built"
}

need_tools() {
    command -v cargo >/dev/null 2>&1 ||
        fail "cargo was not found; install Rust from https://rustup.rs"
    command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || command -v clang >/dev/null 2>&1 ||
        fail "building needs a C linker, and there is no cc: install one" \
            "(Debian, Ubuntu: apt-get install gcc libc6-dev; Fedora: dnf install gcc; macOS: xcode-select --install)"
}

# Whether a file below one of the folders changed since the programs were built.
changed_since_build() {
    [ -f "$built" ] || return 0
    [ -n "$(cd "$root" && find "$@" -type f -newer "$built" -print 2>/dev/null | head -n 1)" ]
}

# Runs the program `stack`, built if need be.
run_stack() {
    if [ ! -x "$target/debug/stack" ] || changed_since_build stack/src; then
        build_programs
    fi
    exec "$target/debug/stack" "$@"
}

# customer, accounts-service, cli … to the name of a package.
package() {
    case $1 in
        customer | customers | customer-service) echo customer-service ;;
        accounts | accounts-service) echo accounts-service ;;
        transactions | transactions-service) echo transactions-service ;;
        order | orders | orders-service) echo orders-service ;;
        cli | client | banking-cli) echo client ;;
        stack) echo stack ;;
        *) fail "there is no service \`$1\`; there are customer, accounts, transactions and orders" ;;
    esac
}
