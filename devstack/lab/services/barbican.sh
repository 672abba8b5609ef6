# shellcheck shell=bash

prepare_barbican() {
  local home="$DATA/barbican"
  mkdir -p "$home/.barbican"
  # It reads its configuration when it is imported, from below HOME.
  cat >"$home/.barbican/barbican.conf" <<INI
[DEFAULT]
host_href = http://$HOST:$PORT_BARBICAN
sql_connection = $(database_url barbican)
db_auto_create = false
transport_url = $(transport_url)
[queue]
enable = false
[secretstore]
enabled_secretstore_plugins = store_crypto
[crypto]
enabled_crypto_plugins = simple_crypto
[simple_crypto_plugin]
kek = '$(printf '%-32.32s' "$PASSWORD$PASSWORD" | base64)'
$(keystone_authtoken barbican)
INI
  cp /usr/share/barbican-common/barbican-api-paste.ini "$CONF/barbican-paste.ini"
  cat >"$CONF/barbican_wsgi.py" <<PYTHON
from paste import deploy
application = deploy.loadapp("config:$CONF/barbican-paste.ini")
PYTHON
  once barbican-schema env HOME="$home" barbican-manage db upgrade --db-url "$(database_url barbican)"
}

start_barbican() {
  UWSGI_ENV=("HOME=$DATA/barbican")
  uwsgi barbican "$PORT_BARBICAN" 1 --wsgi-file "$CONF/barbican_wsgi.py"
  UWSGI_ENV=()
}
