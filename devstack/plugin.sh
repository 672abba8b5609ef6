#!/bin/bash
#
# Slipstream as the load-balancer service of DevStack:
#
#   [[local|localrc]]
#   enable_plugin slipstream <URL of this repository>
#
# DevStack sources this file as `plugin.sh <mode> [phase]`, under errexit and an ERR trap: a condition that may fail
# stands in `if`, and nothing else may end with a status other than 0.

_XTRACE_SLIPSTREAM=$(set +o | grep xtrace)
set +o xtrace

_SLIPSTREAM_PLUGIN=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$_SLIPSTREAM_PLUGIN/lib-install.sh"
source "$_SLIPSTREAM_PLUGIN/lib-configure.sh"
source "$_SLIPSTREAM_PLUGIN/lib-cloud.sh"
source "$_SLIPSTREAM_PLUGIN/lib-run.sh"

$_XTRACE_SLIPSTREAM

# slipstream_plugin mode [phase]
function slipstream_plugin {
    case "$1 ${2:-}" in
        "stack pre-install")
            slipstream_check_services
            echo_summary "Finding Node for Slipstream"
            slipstream_ensure_node
            ;;
        "stack install")
            echo_summary "Installing Slipstream"
            slipstream_install
            ;;
        "stack post-config")
            echo_summary "Configuring Slipstream"
            slipstream_configure
            ;;
        "stack extra")
            echo_summary "Making Slipstream known to the cloud"
            slipstream_init_cloud
            echo_summary "Starting Slipstream"
            slipstream_start
            ;;
        "stack test-config")
            slipstream_configure_tempest
            ;;
        "unstack ")
            echo_summary "Stopping Slipstream"
            slipstream_stop
            ;;
        "clean ")
            echo_summary "Cleaning up Slipstream"
            slipstream_cleanup
            ;;
    esac
}

if is_service_enabled slipstream-api slipstream-worker slipstream-health slipstream-housekeeping; then
    slipstream_plugin "$@"
fi
