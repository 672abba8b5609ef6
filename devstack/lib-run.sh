#!/bin/bash
#
# DevStack plugin: the processes, and what is left when they are gone.

# slipstream_start: units devstack@slipstream-*, as far as their services are enabled
function slipstream_start {
    local program="$SLIPSTREAM_NODE $SLIPSTREAM_DIR/dist/driver/cli.js"
    local flags="--config-file $SLIPSTREAM_CONF"
    if is_service_enabled slipstream-api && is_service_enabled tls-proxy; then
        start_tls_proxy slipstream '*' "$SLIPSTREAM_PORT" "$SERVICE_HOST" "$SLIPSTREAM_PORT_INT"
    fi
    run_process slipstream-api "$program api $flags"
    run_process slipstream-worker "$program worker $flags"
    run_process slipstream-health "$program health-manager $flags"
    run_process slipstream-housekeeping "$program housekeeping $flags"
    if is_service_enabled slipstream-api; then
        if ! wait_for_service "$SERVICE_TIMEOUT" "$(_slipstream_url)/healthcheck"; then
            die $LINENO "slipstream-api did not start: journalctl -u devstack@slipstream-api"
        fi
    fi
}

function slipstream_stop {
    local service
    for service in slipstream-api slipstream-worker slipstream-health slipstream-housekeeping; do
        stop_process $service
    done
}

# What clean.sh should not find again. The clone stays, as those of all plugins do.
function slipstream_cleanup {
    local horizon=${HORIZON_DIR:-}/openstack_dashboard
    sudo rm -rf "$SLIPSTREAM_CONF_DIR" "$SLIPSTREAM_NODE_DIR" "$SLIPSTREAM_DIR/dist"
    rm -f "$horizon"/local/enabled/_1482_project_load_balancer_panel.py*
    rm -f "$horizon"/local/local_settings.d/_1499_load_balancer_settings.py*
    rm -f "$horizon/conf/octavia_policy.yaml"
}
