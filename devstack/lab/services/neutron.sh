# shellcheck shell=bash

prepare_neutron() {
  mkdir -p "$DATA/neutron/lock"
  install_mechanism_driver
  cat >"$CONF/neutron.conf" <<INI
[DEFAULT]
bind_host = $HOST
bind_port = $PORT_NEUTRON
api_workers = 2
rpc_workers = 1
rpc_state_report_workers = 0
state_path = $DATA/neutron
auth_strategy = keystone
core_plugin = ml2
service_plugins = router,qos,port_forwarding,network_ip_availability
api_paste_config = /usr/share/neutron-common/api-paste.ini
dhcp_agent_notification = false
transport_url = $(transport_url)
max_allowed_address_pair = 100
[database]
connection = $(database_url neutron)
[oslo_concurrency]
lock_path = $DATA/neutron/lock
[nova]
$(credentials nova)
[placement]
$(credentials placement)
[quotas]
quota_network = -1
quota_subnet = -1
quota_port = -1
quota_router = -1
quota_floatingip = -1
quota_security_group = -1
quota_security_group_rule = -1
quota_rbac_policy = -1
$(keystone_authtoken neutron)
$(messaging)
INI
  cat >"$CONF/ml2.ini" <<INI
[ml2]
type_drivers = flat,vxlan
tenant_network_types = vxlan
mechanism_drivers = slipstream_lab
extension_drivers = port_security,qos,dns
[ml2_type_flat]
flat_networks = *
[ml2_type_vxlan]
vni_ranges = 1:65535
[securitygroup]
enable_security_group = true
INI
  once neutron-schema neutron-db-manage --config-file "$CONF/neutron.conf" --config-file "$CONF/ml2.ini" upgrade heads
}

# A package of one module with the entry point that Neutron looks drivers up by; found through PYTHONPATH.
install_mechanism_driver() {
  local folder="$DATA/python"
  mkdir -p "$folder/slipstream_lab-1.0.dist-info"
  cp "$LAB/python/slipstream_lab_ml2.py" "$folder/"
  printf 'Metadata-Version: 2.1\nName: slipstream-lab\nVersion: 1.0\n' >"$folder/slipstream_lab-1.0.dist-info/METADATA"
  printf '[neutron.ml2.mechanism_drivers]\nslipstream_lab = slipstream_lab_ml2:LabMechanismDriver\n' \
    >"$folder/slipstream_lab-1.0.dist-info/entry_points.txt"
}

start_neutron() {
  daemon neutron env PYTHONPATH="$DATA/python" SLIPSTREAM_LAB_REFUSED_HOSTS="$STATE/refused-hosts" \
    neutron-server --config-file "$CONF/neutron.conf" --config-file "$CONF/ml2.ini"
}
