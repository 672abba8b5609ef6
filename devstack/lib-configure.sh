#!/bin/bash
#
# DevStack plugin: slipstream.conf, the database, the files of Horizon, Tempest.

# slipstream_cli command...: a command of the program with the configuration in force
function slipstream_cli {
    "$SLIPSTREAM_NODE" "$SLIPSTREAM_DIR/dist/driver/cli.js" "$@" --config-file "$SLIPSTREAM_CONF"
}

function slipstream_configure {
    sudo install -d -o "$STACK_USER" -m 755 "$SLIPSTREAM_CONF_DIR"
    # It holds passwords; and what an earlier stack.sh left is not to stay.
    rm -f "$SLIPSTREAM_CONF"
    install -m 600 /dev/null "$SLIPSTREAM_CONF"

    _slipstream_configure_common
    _slipstream_configure_api
    _slipstream_configure_clouds
    _slipstream_configure_tls
    _slipstream_configure_ca

    # One node of several has the database: the one with the API.
    if is_service_enabled slipstream-api; then
        recreate_database slipstream
        slipstream_cli db upgrade
        _slipstream_configure_horizon
    fi
}

function _slipstream_configure_common {
    iniset "$SLIPSTREAM_CONF" DEFAULT debug "${ENABLE_DEBUG_LOG_LEVEL:-False}"
    iniset_rpc_backend slipstream "$SLIPSTREAM_CONF"
    iniset "$SLIPSTREAM_CONF" database connection "$(database_connection_url slipstream)"
    configure_keystone_authtoken_middleware "$SLIPSTREAM_CONF" "$SLIPSTREAM_USERNAME"
    iniset "$SLIPSTREAM_CONF" keystone_authtoken region_name "$REGION_NAME"
    if is_service_enabled ceilometer-anotification ceilometer; then
        iniset "$SLIPSTREAM_CONF" oslo_messaging_notifications driver messagingv2
    fi
}

function _slipstream_configure_api {
    local port=$SLIPSTREAM_PORT
    if is_service_enabled tls-proxy; then
        port=$SLIPSTREAM_PORT_INT
    fi
    iniset "$SLIPSTREAM_CONF" api_settings auth_strategy keystone
    iniset "$SLIPSTREAM_CONF" api_settings bind_host "$(ipv6_unquote "${SERVICE_LISTEN_ADDRESS:-$SERVICE_HOST}")"
    iniset "$SLIPSTREAM_CONF" api_settings bind_port "$port"
    iniset "$SLIPSTREAM_CONF" api_settings api_base_uri "$(_slipstream_url)"
    if ! is_service_enabled barbican-svc barbican; then
        # Certificates live there and nowhere else.
        iniset "$SLIPSTREAM_CONF" api_settings allow_tls_terminated_listeners False
    fi
}

# What the catalogue has.
function _slipstream_url {
    echo "$SLIPSTREAM_PROTOCOL://$SERVICE_HOST:$SLIPSTREAM_PORT"
}

function _slipstream_configure_clouds {
    local section
    for section in nova neutron glance certificates; do
        iniset "$SLIPSTREAM_CONF" $section region_name "$REGION_NAME"
    done
    iniset "$SLIPSTREAM_CONF" controller_worker network_driver "$SLIPSTREAM_NETWORK_DRIVER"
    iniset "$SLIPSTREAM_CONF" controller_worker compute_driver "$SLIPSTREAM_COMPUTE_DRIVER"
    iniset "$SLIPSTREAM_CONF" controller_worker amp_image_tag "$SLIPSTREAM_IMAGE_TAG"
    iniset "$SLIPSTREAM_CONF" health_manager bind_ip "$SLIPSTREAM_HEALTH_BIND_IP"
    iniset "$SLIPSTREAM_CONF" health_manager bind_port "$SLIPSTREAM_HEALTH_PORT"
    iniset "$SLIPSTREAM_CONF" health_manager controller_ip_port_list "$SLIPSTREAM_CONTROLLERS"
}

# Engines know it by fingerprint: one that is there stays. Nodes without health-manager take the certificate of the node with it.
function _slipstream_configure_ca {
    local dir=$SLIPSTREAM_CONF_DIR/engine-ca
    if is_service_enabled slipstream-health && [[ ! -e $dir/ca.pem ]]; then
        "$SLIPSTREAM_NODE" "$SLIPSTREAM_DIR/dist/driver/cli.js" ca create --directory "$dir"
    fi
    if [[ -e $dir/ca.pem ]]; then
        iniset "$SLIPSTREAM_CONF" certificates ca_certificate "$dir/ca.pem"
        iniset "$SLIPSTREAM_CONF" certificates ca_private_key "$dir/ca.key"
    fi
}

# DevStack names a bundle of authorities whether or not it made one; Slipstream refuses a file that is not there.
function _slipstream_configure_tls {
    local section
    if [[ ! -r "${SSL_BUNDLE_FILE:-}" ]]; then
        inidelete "$SLIPSTREAM_CONF" keystone_authtoken cafile
        return
    fi
    iniset "$SLIPSTREAM_CONF" keystone_authtoken cafile "$SSL_BUNDLE_FILE"
    for section in nova neutron glance certificates; do
        iniset "$SLIPSTREAM_CONF" $section ca_certificates_file "$SSL_BUNDLE_FILE"
    done
}

# The panel is Octavia's; Horizon asks this policy what to offer whom. It starts after this phase.
function _slipstream_configure_horizon {
    local from=${GITDIR["octavia-dashboard"]}/octavia_dashboard
    if ! is_service_enabled horizon; then
        return
    fi
    cp "$from/enabled/_1482_project_load_balancer_panel.py" "$HORIZON_DIR/openstack_dashboard/local/enabled/"
    cp "$from/local_settings.d/_1499_load_balancer_settings.py" \
        "$HORIZON_DIR/openstack_dashboard/local/local_settings.d/"
    slipstream_cli policy show >"$HORIZON_DIR/openstack_dashboard/conf/octavia_policy.yaml"
}

# octavia-tempest-plugin asks for the service by Octavia's name.
function slipstream_configure_tempest {
    if is_service_enabled tempest; then
        iniset "$TEMPEST_CONFIG" service_available octavia True
        iniset "$TEMPEST_CONFIG" load_balancer provider slipstream
        iniset "$TEMPEST_CONFIG" load_balancer enabled_provider_drivers "slipstream:The Slipstream driver."
    fi
}
