#!/bin/bash
#
# What DevStack is to a plugin: its functions, each of which writes its call down, and its order of phases.
#
#   stack.sh <directory of the plugin> <phase>...      such as "stack install" or unstack
#
# The files of configuration are written as DevStack writes them; everything else only leaves its call in $SANDBOX/calls.
# DevStack runs under errexit, xtrace and an ERR trap, and without nounset, which is on here as well: nothing of the
# plugin may need a variable that a site has not set.

set -o errexit -o nounset
trap 'echo "stack.sh: a command ended with $?: $BASH_COMMAND" >&2; exit 70' ERR

declare -A GITREPO GITBRANCH GITDIR
STACK_USER=$(id -un)
DEST=$SANDBOX/opt
DATA_DIR=$SANDBOX/opt/data
HORIZON_DIR=$SANDBOX/opt/horizon
TEMPEST_CONFIG=$SANDBOX/tempest.conf
SSL_BUNDLE_FILE=$SANDBOX/ca-bundle.pem
SLIPSTREAM_CONF_DIR=$SANDBOX/etc
SERVICE_HOST=192.0.2.10
SERVICE_LISTEN_ADDRESS=${SERVICE_LISTEN_ADDRESS:-0.0.0.0}
SERVICE_TIMEOUT=60
REGION_NAME=RegionOne
KEYSTONE_SERVICE_URI=http://$SERVICE_HOST/identity
export OS_CLOUD=devstack-admin
SERVICE_PROJECT_NAME=service
SERVICE_DOMAIN_NAME=Default
SERVICE_PASSWORD=secretservice
ENABLE_DEBUG_LOG_LEVEL=True
ENABLED_SERVICES=${ENABLED_SERVICES:-keystone,mysql,rabbit,q-svc,n-api,g-api}
DISABLED_SERVICES=${DISABLED_SERVICES:-}
DEVSTACK_PLUGINS=${DEVSTACK_PLUGINS:-slipstream}

function record {
    echo "$*" >>"$SANDBOX/calls"
}

function die {
    shift
    echo "[ERROR] $*" >&2
    exit 1
}

function echo_summary {
    echo "$@"
}

function is_plugin_enabled {
    [[ ",$DEVSTACK_PLUGINS," == *",$1,"* ]]
}

function is_service_enabled {
    local service
    for service in "$@"; do
        if [[ ",$ENABLED_SERVICES," == *",$service,"* ]]; then
            return 0
        fi
    done
    return 1
}

function enable_service {
    local service
    for service in "$@"; do
        if [[ ",$DISABLED_SERVICES," != *",$service,"* ]]; then
            ENABLED_SERVICES+=,$service
        fi
    done
}

# A line of a section, changed in place or put at its beginning.
function iniset {
    [[ -e "$1" ]] || touch "$1"
    inidelete "$1" "$2" "$3"
    grep -q "^\[$2\]" "$1" || printf '\n[%s]\n' "$2" >>"$1"
    sed -i "/^\[$2\]/a $3 = $4" "$1"
}

function inidelete {
    sed -i "/^\[$2\]/,/^\[/ {/^$3[ \t]*=/d}" "$1"
}

function iniset_rpc_backend {
    iniset "$2" DEFAULT transport_url "rabbit://stackrabbit:secretrabbit@$SERVICE_HOST:5672/"
}

function database_connection_url {
    echo "mysql+pymysql://root:secretdatabase@127.0.0.1/$1?charset=utf8&plugin=dbcounter"
}

function configure_keystone_authtoken_middleware {
    local option
    for option in auth_type=password interface=public "auth_url=http://$SERVICE_HOST/identity" "username=$2" \
        "password=$SERVICE_PASSWORD" user_domain_name=Default project_name=service project_domain_name=Default \
        "cafile=$SSL_BUNDLE_FILE" memcached_servers=localhost:11211; do
        iniset "$1" keystone_authtoken "${option%%=*}" "${option#*=}"
    done
}

function ipv6_unquote {
    echo "$1" | tr -d '[]'
}

function git_clone_by_name {
    record git_clone_by_name "$1" "${GITREPO[$1]}" "${GITBRANCH[$1]}"
    if [[ "$1" == octavia-dashboard ]]; then
        mkdir -p "${GITDIR[$1]}"/octavia_dashboard/{enabled,local_settings.d}
        touch "${GITDIR[$1]}/octavia_dashboard/enabled/_1482_project_load_balancer_panel.py" \
            "${GITDIR[$1]}/octavia_dashboard/local_settings.d/_1499_load_balancer_settings.py"
    fi
}

function use_library_from_git {
    return 1
}

function sudo {
    "$@"
}

# Like DevStack's: only what is enabled is started, by a unit of systemd, which takes absolute paths alone.
function run_process {
    is_service_enabled "$1" || return 0
    [[ "$2" == /* ]] || die 0 "no absolute path: $2"
    record run_process "$1" "$2"
}

function get_or_create_service {
    record get_or_create_service "$@"
    echo id-of-service
}

for name in recreate_database create_service_user get_or_create_role get_or_add_user_project_role get_or_create_endpoint \
    setup_develop setup_dev_lib pip_install_gr stop_process start_tls_proxy wait_for_service; do
    eval "function $name { record $name \"\$@\"; }"
done

# A cloud of files: `<kind> create <name>` makes $SANDBOX/cloud/<kind>/<name>, list and show find it.
function openstack {
    local kind=$1
    shift
    if [[ "$kind" == security ]]; then
        kind=security-group
        shift
    fi
    mkdir -p "$SANDBOX/cloud/$kind"
    case "$1" in
        create)
            record openstack "$kind" "$@"
            touch "$SANDBOX/cloud/$kind/$2"
            echo "id-of-$kind-$2"
            ;;
        list)
            local name
            for name in $(ls "$SANDBOX/cloud/$kind"); do
                if [[ "$*" == *"-c Name"* ]]; then echo "id-of-$kind-$name $name"; else echo "id-of-$kind-$name"; fi
            done
            ;;
        show) echo "${*: -1}-of-$2" ;;
        *) record openstack "$kind" "$@" ;;
    esac
}

# Settings are read within a function, as DevStack does it.
function load_plugin_settings {
    source "$PLUGIN/settings"
}

PLUGIN=$1
shift
mkdir -p "$DEST" "$HORIZON_DIR"/openstack_dashboard/{conf,local/enabled,local/local_settings.d}
source "$PLUGIN/override-defaults"
load_plugin_settings
record ext_drivers "${Q_ML2_PLUGIN_EXT_DRIVERS:-}"
for phase in "$@"; do
    record "--- $phase"
    set -o xtrace
    # Mode and phase are two words, or one and an empty one.
    # shellcheck disable=SC2086
    source "$PLUGIN/plugin.sh" ${phase% *} "$([[ "$phase" == *" "* ]] && echo "${phase#* }")"
    [[ "$-" == *x* ]] || die 0 "the plugin switched xtrace off"
    set +o xtrace
done 2>"$SANDBOX/trace"
