# shellcheck shell=bash
# Sections that the configuration files of several services have alike.

# database_url NAME [CHARSET]
database_url() {
  echo "mysql+pymysql://$1:$PASSWORD@$HOST:$PORT_MARIADB/${2:-$1}?charset=utf8"
}

transport_url() {
  echo "rabbit://lab:$PASSWORD@$HOST:$PORT_RABBITMQ/${1-}"
}

# credentials USER: the service user in the form of keystoneauth.
credentials() {
  cat <<INI
auth_type = password
auth_url = $(AUTH_URL)
username = $1
password = $PASSWORD
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = $REGION
INI
}

# keystone_authtoken USER
keystone_authtoken() {
  cat <<INI
[keystone_authtoken]
www_authenticate_uri = $(AUTH_URL)
memcached_servers = $HOST:$PORT_MEMCACHED
service_token_roles = service
service_token_roles_required = true
$(credentials "$1")
INI
}

# messaging: what a service on one small broker needs.
messaging() {
  cat <<INI
[oslo_messaging_rabbit]
heartbeat_in_pthread = false
rabbit_interval_max = 5

[oslo_messaging_notifications]
driver = noop
INI
}

# uwsgi NAME PORT PROCESSES WHAT...: serves a WSGI program. One thread a process: several services hang with more.
uwsgi() {
  local name=$1 port=$2 processes=$3
  shift 3
  daemon "$name" env PYTHONUNBUFFERED=1 "${UWSGI_ENV[@]}" uwsgi --plugin python3 --master --need-app --die-on-term \
    --no-orphans --lazy-apps --enable-threads --thunder-lock --buffer-size 65535 --disable-logging --log-5xx --log-4xx \
    --processes "$processes" --threads 1 --http-socket "$HOST:$port" --listen 128 \
    --add-header 'Connection: close' "$@"
}
UWSGI_ENV=()
