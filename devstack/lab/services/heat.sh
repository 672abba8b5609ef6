# shellcheck shell=bash

prepare_heat() {
  cat >"$CONF/heat.conf" <<INI
[DEFAULT]
transport_url = $(transport_url)
num_engine_workers = 2
auth_encryption_key = $(printf '%-32.32s' "$PASSWORD$PASSWORD")
stack_user_domain_name = heat
stack_domain_admin = heat_domain_admin
stack_domain_admin_password = $PASSWORD
heat_metadata_server_url = http://$HOST:$PORT_HEAT
heat_waitcondition_server_url = http://$HOST:$PORT_HEAT/v1/waitcondition
region_name_for_services = $REGION
server_keystone_endpoint_type = public
environment_dir = $CONF/heat-environment
template_dir = $CONF/heat-templates
[database]
connection = $(database_url heat)
[heat_api]
bind_host = $HOST
bind_port = $PORT_HEAT
workers = 1
[clients_keystone]
auth_uri = http://$HOST:$PORT_KEYSTONE
[paste_deploy]
api_paste_config = /etc/heat/api-paste.ini
[oslo_concurrency]
lock_path = $DATA
[trustee]
$(credentials heat | grep -v ^project_)
$(keystone_authtoken heat)
$(messaging)
INI
  mkdir -p "$CONF/heat-environment" "$CONF/heat-templates"
  once heat-schema heat-manage --config-file "$CONF/heat.conf" db_sync
}

start_heat() {
  daemon heat-api heat-api --config-file "$CONF/heat.conf"
  daemon heat-engine heat-engine --config-file "$CONF/heat.conf"
}
