# shellcheck shell=bash

prepare_placement() {
  mkdir -p "$CONF/placement"
  cat >"$CONF/placement/placement.conf" <<INI
[placement_database]
connection = $(database_url placement)
[api]
auth_strategy = keystone
$(keystone_authtoken placement)
INI
  once placement-schema placement-manage --config-file "$CONF/placement/placement.conf" db sync
}

start_placement() {
  UWSGI_ENV=("OS_PLACEMENT_CONFIG_DIR=$CONF/placement")
  uwsgi placement "$PORT_PLACEMENT" 2 --wsgi-file /usr/bin/placement-api
  UWSGI_ENV=()
}
