# shellcheck shell=bash

prepare_glance() {
  mkdir -p "$DATA/glance/images" "$DATA/glance/tasks" "$DATA/glance/staging"
  cat >"$CONF/glance.conf" <<INI
[DEFAULT]
bind_host = $HOST
bind_port = $PORT_GLANCE
workers = 1
enabled_backends = file:file
worker_self_reference_url = http://$HOST:$PORT_GLANCE
transport_url = $(transport_url)
[database]
connection = $(database_url glance)
[glance_store]
default_backend = file
[file]
filesystem_store_datadir = $DATA/glance/images
[os_glance_tasks_store]
filesystem_store_datadir = $DATA/glance/tasks
[os_glance_staging_store]
filesystem_store_datadir = $DATA/glance/staging
[paste_deploy]
flavor = keystone
config_file = /usr/share/glance-common/glance-api-paste.ini
[oslo_concurrency]
lock_path = $DATA/glance
$(keystone_authtoken glance)
$(messaging)
INI
  once glance-schema glance-manage --config-file "$CONF/glance.conf" db_sync
}

start_glance() {
  daemon glance glance-api --config-file "$CONF/glance.conf"
}
