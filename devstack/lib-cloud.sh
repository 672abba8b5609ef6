#!/bin/bash
#
# DevStack plugin: accounts, roles and the endpoint in Keystone; image, flavor and management network of engines.

function slipstream_init_cloud {
    if ! is_service_enabled slipstream-api; then
        return
    fi
    _slipstream_create_accounts
    _slipstream_create_roles
    if [[ "$SLIPSTREAM_COMPUTE_DRIVER" == nova ]]; then
        _slipstream_create_image
        _slipstream_create_flavor
        _slipstream_create_network
        # Engines, their ports and their security groups are all the service project's.
        openstack quota set --instances 1000 --cores 4000 --ram 4096000 --server-groups 1000 \
            --ports 10000 --secgroups 1000 --secgroup-rules 10000 "$SERVICE_PROJECT_NAME"
    else
        echo_summary "Slipstream runs without engines (compute_driver = $SLIPSTREAM_COMPUTE_DRIVER): load balancers" \
            "become ACTIVE and carry no traffic. SLIPSTREAM_IMAGE_FILE names an image for engines"
    fi
}

# Roles: admin makes ports and servers, service may check tokens, creator reads what Barbican lets it read.
function _slipstream_create_accounts {
    local service url
    create_service_user "$SLIPSTREAM_USERNAME" admin
    if is_service_enabled barbican-svc barbican; then
        get_or_create_role creator
        get_or_add_user_project_role creator "$SLIPSTREAM_USERNAME" "$SERVICE_PROJECT_NAME" \
            "$SERVICE_DOMAIN_NAME" "$SERVICE_DOMAIN_NAME"
    fi
    url=$(_slipstream_url)
    service=$(get_or_create_service octavia load-balancer "Load balancing")
    get_or_create_endpoint "$service" "$REGION_NAME" "$url" "$url" "$url"
}

# Octavia's roles: its clients, Heat's and Horizon's users expect them.
function _slipstream_create_roles {
    local role
    for role in observer global_observer member quota_admin admin; do
        get_or_create_role "load-balancer_$role"
    done
    get_or_add_user_project_role load-balancer_member demo demo
}

# In the service's own project, private: amp_image_owner_id keeps images that others share from being booted.
function _slipstream_create_image {
    local project
    project=$(openstack project show "$SERVICE_PROJECT_NAME" --domain "$SERVICE_DOMAIN_NAME" -f value -c id)
    iniset "$SLIPSTREAM_CONF" controller_worker amp_image_owner_id "$project"
    if [[ -z "$SLIPSTREAM_IMAGE_FILE" ]]; then
        return
    fi
    if [[ ! -r "$SLIPSTREAM_IMAGE_FILE" ]]; then
        die $LINENO "SLIPSTREAM_IMAGE_FILE is $SLIPSTREAM_IMAGE_FILE, which cannot be read"
    fi
    # As the service's account. What is there already is not sent again.
    env -u OS_CLOUD OS_AUTH_URL="$KEYSTONE_SERVICE_URI" OS_REGION_NAME="$REGION_NAME" \
        OS_USERNAME="$SLIPSTREAM_USERNAME" OS_PASSWORD="$SERVICE_PASSWORD" OS_USER_DOMAIN_NAME="$SERVICE_DOMAIN_NAME" \
        OS_PROJECT_NAME="$SERVICE_PROJECT_NAME" OS_PROJECT_DOMAIN_NAME="$SERVICE_DOMAIN_NAME" \
        "$SLIPSTREAM_NODE" "$SLIPSTREAM_DIR/dist/driver/cli.js" image upload "$SLIPSTREAM_IMAGE_FILE" \
        --name slipstream-engine --tag "$SLIPSTREAM_IMAGE_TAG"
}

function _slipstream_create_flavor {
    local id
    id=$(openstack flavor list --all -f value -c ID -c Name | awk -v name="$SLIPSTREAM_FLAVOR_NAME" '$2 == name {print $1}')
    if [[ -z "$id" ]]; then
        id=$(openstack flavor create "$SLIPSTREAM_FLAVOR_NAME" --private --project "$SERVICE_PROJECT_NAME" \
            --project-domain "$SERVICE_DOMAIN_NAME" --ram "$SLIPSTREAM_FLAVOR_RAM" --disk "$SLIPSTREAM_FLAVOR_DISK" \
            --vcpus "$SLIPSTREAM_FLAVOR_VCPUS" --property hw_rng:allowed=True -f value -c id)
    fi
    iniset "$SLIPSTREAM_CONF" controller_worker amp_flavor_id "$id"
}

# Addresses come from Neutron by the config drive, so there is no DHCP; engines call out and nobody calls them.
function _slipstream_create_network {
    local network subnet group
    network=$(_slipstream_find network "$SLIPSTREAM_MGMT_NETWORK")
    if [[ -z "$network" ]]; then
        network=$(_slipstream_create network "$SLIPSTREAM_MGMT_NETWORK" --no-share)
    fi
    subnet=$(_slipstream_find subnet "$SLIPSTREAM_MGMT_NETWORK")
    if [[ -z "$subnet" ]]; then
        _slipstream_create subnet "$SLIPSTREAM_MGMT_NETWORK" --network "$network" \
            --subnet-range "$SLIPSTREAM_MGMT_RANGE" --no-dhcp --gateway none
    fi
    group=$(_slipstream_find "security group" "$SLIPSTREAM_MGMT_NETWORK")
    if [[ -z "$group" ]]; then
        group=$(_slipstream_create "security group" "$SLIPSTREAM_MGMT_NETWORK" \
            --description "Engines of Slipstream on the management network")
    fi
    iniset "$SLIPSTREAM_CONF" controller_worker amp_boot_network_list "$network"
    iniset "$SLIPSTREAM_CONF" controller_worker amp_secgroup_list "$group"
}

# _slipstream_find kind name: the id of what the service's project has under this name, or nothing
function _slipstream_find {
    # The kind may be two words of the command.
    # shellcheck disable=SC2086
    openstack $1 list --project "$SERVICE_PROJECT_NAME" --project-domain "$SERVICE_DOMAIN_NAME" -f value -c ID -c Name |
        awk -v name="$2" '$2 == name {print $1}'
}

# _slipstream_create kind name options...: the id of a new one in the service's project
function _slipstream_create {
    local kind=$1 name=$2
    shift 2
    # shellcheck disable=SC2086
    openstack $kind create "$name" --project "$SERVICE_PROJECT_NAME" --project-domain "$SERVICE_DOMAIN_NAME" "$@" \
        -f value -c id
}
