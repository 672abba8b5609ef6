# shellcheck shell=bash
# Nova with three computes whose hypervisor is its own fake one: servers are there for the API, and nothing boots.

COMPUTES=(compute-1 compute-2 compute-3)

prepare_nova() {
  mkdir -p "$DATA/nova/lock"
  cat >"$CONF/nova.conf" <<INI
[DEFAULT]
my_ip = $HOST
state_path = $DATA/nova
transport_url = $(transport_url)
enabled_apis = osapi_compute
compute_driver = fake.FakeDriver
vif_plugging_is_fatal = false
vif_plugging_timeout = 0
[api]
auth_strategy = keystone
[wsgi]
api_paste_config = /usr/share/nova-common/api-paste.ini
[api_database]
connection = $(database_url nova nova_api)
[database]
connection = $(database_url nova)
[oslo_concurrency]
lock_path = $DATA/nova/lock
[glance]
$(credentials glance)
[neutron]
$(credentials neutron)
[placement]
$(credentials placement)
[service_user]
send_service_user_token = true
$(credentials nova)
[scheduler]
discover_hosts_in_cells_interval = 3
workers = 1
[conductor]
workers = 1
[filter_scheduler]
enabled_filters = ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter
track_instance_changes = false
[vnc]
enabled = false
[quota]
instances = -1
cores = -1
ram = -1
key_pairs = -1
server_groups = -1
server_group_members = -1
$(keystone_authtoken nova)
$(messaging)
INI
  local manage=(nova-manage --config-file "$CONF/nova.conf")
  once nova-api-schema "${manage[@]}" api_db sync
  once nova-cell0 "${manage[@]}" cell_v2 map_cell0 --database_connection "$(database_url nova nova_cell0)"
  once nova-cell1 "${manage[@]}" cell_v2 create_cell --name cell1 --database_connection "$(database_url nova)" \
    --transport-url "$(transport_url)"
  once nova-schema "${manage[@]}" db sync
}

start_nova() {
  local name
  UWSGI_ENV=()
  uwsgi nova-api "$PORT_NOVA" 4 --wsgi-file /usr/bin/nova-api-wsgi --pyargv "--config-file=$CONF/nova.conf"
  daemon nova-conductor nova-conductor --config-file "$CONF/nova.conf"
  daemon nova-scheduler nova-scheduler --config-file "$CONF/nova.conf"
  for name in "${COMPUTES[@]}"; do
    mkdir -p "$DATA/nova/$name"
    printf '[DEFAULT]\nhost = %s\nstate_path = %s\n' "$name" "$DATA/nova/$name" >"$CONF/nova-$name.conf"
    daemon "nova-$name" /usr/bin/python3 -c 'from nova.cmd.compute import main; main()' \
      --config-file "$CONF/nova.conf" --config-file "$CONF/nova-$name.conf"
  done
}
