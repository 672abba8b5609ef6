#!/bin/bash
#
# DevStack plugin: what must be there, Node, the program, the client and the panel of Horizon.

_SLIPSTREAM_NODE_MAJOR=20

# Ends stack.sh at its beginning rather than with half a cloud.
function slipstream_check_services {
    if is_plugin_enabled octavia || is_service_enabled octavia o-api o-cw o-hk o-hm o-da; then
        die $LINENO "Slipstream and Octavia are both enabled, and both are the load-balancer service: remove" \
            "enable_plugin octavia and the services octavia, o-api, o-cw, o-hk, o-hm and o-da from local.conf"
    fi
    if is_service_enabled slipstream-api; then
        if ! is_service_enabled keystone key; then
            die $LINENO "Slipstream needs Keystone: enable_service keystone"
        fi
        if ! is_service_enabled neutron-api q-svc; then
            die $LINENO "Slipstream needs Neutron: enable_service q-svc (neutron-api)"
        fi
    fi
    if [[ "${DATABASE_TYPE:-mysql}" != mysql ]]; then
        die $LINENO "Slipstream keeps its state in MySQL or MariaDB, and DATABASE_TYPE is $DATABASE_TYPE"
    fi
    if ! is_service_enabled rabbit && [[ -z "${RABBIT_HOST:-}" ]]; then
        die $LINENO "Slipstream needs RabbitMQ: enable_service rabbit, or set RABBIT_HOST"
    fi
}

# _slipstream_node_version node: prints 20.1.2, or nothing where there is no such program
function _slipstream_node_version {
    local version
    version=$("$1" --version 2>/dev/null || true)
    echo "${version#v}"
}

# _slipstream_is_good_node node: new enough, and npm beside it or on PATH (Debian packs them apart)
function _slipstream_is_good_node {
    local version
    version=$(_slipstream_node_version "$1")
    [[ "${version%%.*}" =~ ^[0-9]+$ ]] || return 1
    [[ "${version%%.*}" -ge $_SLIPSTREAM_NODE_MAJOR ]] || return 1
    [[ -x "$(dirname "$1")/npm" ]] || command -v npm >/dev/null
}

# Leaves the absolute path of a Node that will do in SLIPSTREAM_NODE; systemd's units take no other.
function slipstream_ensure_node {
    local found
    if [[ -n "$SLIPSTREAM_NODE" ]]; then
        if ! _slipstream_is_good_node "$SLIPSTREAM_NODE"; then
            found=$(_slipstream_node_version "$SLIPSTREAM_NODE")
            die $LINENO "SLIPSTREAM_NODE is $SLIPSTREAM_NODE (${found:-no Node}):" \
                "Slipstream needs Node $_SLIPSTREAM_NODE_MAJOR or newer, with npm"
        fi
        return
    fi
    for found in "$SLIPSTREAM_NODE_DIR/bin/node" "$(command -v node || true)"; do
        if [[ -n "$found" ]] && _slipstream_is_good_node "$found"; then
            SLIPSTREAM_NODE=$found
            return
        fi
    done
    _slipstream_fetch_node "$found"
    SLIPSTREAM_NODE=$SLIPSTREAM_NODE_DIR/bin/node
}

# _slipstream_fetch_node node: the one on PATH, which is too old, or nothing
function _slipstream_fetch_node {
    local found=none version name work
    if [[ -n "$1" ]]; then
        version=$(_slipstream_node_version "$1")
        found="${version:-one that does not run} ($1)"
    fi
    if [[ "${OFFLINE:-False}" == "True" ]]; then
        die $LINENO "Slipstream needs Node $_SLIPSTREAM_NODE_MAJOR or newer with npm, and OFFLINE is True: found $found." \
            "Install one, or set SLIPSTREAM_NODE"
    fi
    name=node-v$SLIPSTREAM_NODE_VERSION-linux-$(_slipstream_node_architecture)
    work=$(mktemp -d)
    echo "Found Node: $found. Fetching $name"
    if ! _slipstream_download "$name" "$work"; then
        rm -rf "$work"
        die $LINENO "Slipstream needs Node $_SLIPSTREAM_NODE_MAJOR or newer with npm (found: $found), and $name.tar.xz" \
            "cannot be had from $SLIPSTREAM_NODE_URL. Install one, or set SLIPSTREAM_NODE or SLIPSTREAM_NODE_URL"
    fi
    rm -rf "$SLIPSTREAM_NODE_DIR"
    mkdir -p "$SLIPSTREAM_NODE_DIR"
    tar -xJf "$work/$name.tar.xz" -C "$SLIPSTREAM_NODE_DIR" --strip-components=1
    rm -rf "$work"
}

function _slipstream_node_architecture {
    case "$(uname -m)" in
        x86_64) echo x64 ;;
        aarch64) echo arm64 ;;
        *) uname -m ;;
    esac
}

# _slipstream_download name directory: fails unless the archive is there and is what the list of checksums says
function _slipstream_download {
    local from=$SLIPSTREAM_NODE_URL/v$SLIPSTREAM_NODE_VERSION
    curl -fsSL --retry 3 -o "$2/$1.tar.xz" "$from/$1.tar.xz" || return 1
    curl -fsSL --retry 3 -o "$2/SHASUMS256.txt" "$from/SHASUMS256.txt" || return 1
    (cd "$2" && grep -F " $1.tar.xz" SHASUMS256.txt | sha256sum --check --status)
}

# The program, compiled where it lies, and what its users look at it with.
function slipstream_install {
    (
        cd "$SLIPSTREAM_DIR" || exit 1
        PATH=$(dirname "$SLIPSTREAM_NODE"):$PATH "$SLIPSTREAM_NODE" devstack/build.cjs
    )
    if use_library_from_git "python-octaviaclient"; then
        git_clone_by_name "python-octaviaclient"
        setup_dev_lib "python-octaviaclient"
    else
        pip_install_gr python-octaviaclient
    fi
    if is_service_enabled horizon && is_service_enabled slipstream-api; then
        git_clone_by_name "octavia-dashboard"
        setup_develop "${GITDIR["octavia-dashboard"]}"
    fi
}
