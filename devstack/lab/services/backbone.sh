# shellcheck shell=bash
# What the services stand on: MariaDB, RabbitMQ, memcached.

DATABASES=(keystone glance placement nova_api nova nova_cell0 neutron barbican heat slipstream slipstream_single octavia)

start_mariadb() {
  local socket="$RUN/mariadb.sock"
  [ "${#socket}" -le 100 ] || fail "the state directory's name is too long for a socket: $socket"
  once mariadb-files mariadb-install-db --no-defaults --user=root --datadir="$DATA/mariadb" \
    --auth-root-authentication-method=normal --skip-test-db
  mkdir -p "$DATA/mariadb-tmp"
  # Nothing in a lab is worth waiting for a disk.
  daemon mariadb mariadbd --no-defaults --user=root --datadir="$DATA/mariadb" --socket="$socket" \
    --tmpdir="$DATA/mariadb-tmp" --pid-file="$DATA/mariadb/own.pid" \
    --bind-address="$HOST" --port="$PORT_MARIADB" --skip-name-resolve --max-connections=2000 --skip-log-bin \
    --character-set-server=utf8mb3 --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --performance-schema=OFF \
    --innodb-buffer-pool-size=256M
  wait_until mariadb 60 sql 'select 1'
  once mariadb-databases make_databases
}

sql() {
  mariadb --no-defaults --user=root --socket="$RUN/mariadb.sock" --batch --execute "$1"
}

# Each service has a user of its own; Nova has one for its three, Slipstream compares texts exactly.
make_databases() {
  local name user statements=''
  for name in "${DATABASES[@]}"; do
    user=${name%%_*}
    statements+="create database if not exists $name"
    [ "$user" != slipstream ] || statements+=' character set utf8mb4 collate utf8mb4_bin'
    statements+="; create user if not exists '$user'@'%' identified by '$PASSWORD';"
    statements+="grant all on $name.* to '$user'@'%';"
  done
  sql "$statements"
}

start_rabbitmq() {
  local folder="$DATA/rabbitmq"
  mkdir -p "$folder/home" "$folder/mnesia"
  cat >"$CONF/rabbitmq.conf" <<INI
loopback_users = none
log.console = false
log.file.level = warning
disk_free_limit.absolute = 50MB
load_definitions = $CONF/rabbitmq-definitions.json
INI
  echo '[].' >"$CONF/rabbitmq-plugins"
  cat >"$CONF/rabbitmq-definitions.json" <<JSON
{"users": [{"name": "lab", "password": "$PASSWORD", "tags": "administrator"}],
 "vhosts": [{"name": "/"}, {"name": "octavia"}, {"name": "single"}],
 "permissions": [{"user": "lab", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
                 {"user": "lab", "vhost": "octavia", "configure": ".*", "write": ".*", "read": ".*"},
                 {"user": "lab", "vhost": "single", "configure": ".*", "write": ".*", "read": ".*"}]}
JSON
  runs rabbitmq && return 0
  # Our own port mapper: the broker's would outlive it.
  daemon epmd epmd -port "$PORT_EPMD" -address "$HOST"
  # With a socket to notify, the start script becomes the Erlang machine instead of waiting for it.
  daemon rabbitmq env -i PATH="$PATH:/usr/sbin:/sbin" LANG=C.UTF-8 HOME="$folder/home" NOTIFY_SOCKET="$folder/nobody" \
    ERL_EPMD_PORT="$PORT_EPMD" ERL_EPMD_ADDRESS="$HOST" RABBITMQ_NODENAME="lab-$PORT_RABBITMQ@localhost" \
    RABBITMQ_NODE_IP_ADDRESS="$HOST" RABBITMQ_NODE_PORT="$PORT_RABBITMQ" RABBITMQ_DIST_PORT="$PORT_RABBITMQ_DISTRIBUTION" \
    RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$CONF/rabbitmq.conf" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$CONF/rabbitmq-plugins" RABBITMQ_MNESIA_BASE="$folder/mnesia" \
    RABBITMQ_LOG_BASE="$LOGS" RABBITMQ_PID_FILE="$folder/pid" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}' \
    /usr/lib/rabbitmq/bin/rabbitmq-server
  wait_until rabbitmq 90 amqp_answers
  # It listens before its users are there.
  wait_until rabbitmq 60 amqp_logs_in
}

amqp_answers() {
  (exec 4<>"/dev/tcp/$HOST/$PORT_RABBITMQ")
}

amqp_logs_in() {
  python - "$(transport_url)" <<'PYTHON'
import sys
import kombu
with kombu.Connection(sys.argv[1].replace("rabbit://", "amqp://"), connect_timeout=5) as connection:
    connection.ensure_connection(max_retries=1, timeout=5)
PYTHON
}

start_memcached() {
  daemon memcached memcached -u root -l "$HOST" -p "$PORT_MEMCACHED" -U 0 -m 256
}
