# shellcheck shell=bash disable=SC2034 # read by the files that are sourced beside this one
# Where things are: directories below one state directory, ports above one base, one password.

HOST=127.0.0.1
LOGS=$STATE/log
RUN=$STATE/run
DONE=$STATE/done
CONF=$STATE/etc
DATA=$STATE/data

# Port numbers by name; each is a variable such as PORT_KEYSTONE.
PORT_NAMES=(
  KEYSTONE GLANCE PLACEMENT NOVA NEUTRON BARBICAN HEAT HORIZON LOAD_BALANCER HEALTH_MANAGER
  MARIADB RABBITMQ RABBITMQ_DISTRIBUTION EPMD MEMCACHED
  WORKER_METRICS HEALTH_MANAGER_METRICS HOUSEKEEPING_METRICS OCTAVIA
  SINGLE_PROJECT_HEALTH_MANAGER
)

number_ports() {
  local name port=$1
  for name in "${PORT_NAMES[@]}"; do
    printf -v "PORT_$name" %d "$port"
    port=$((port + 1))
  done
}

# Nobody but the daemons of this lab may listen there.
check_ports() {
  local listening
  # shellcheck disable=SC2046 # numbers, one a word
  listening=$(python - $(all_ports) <<'PYTHON'
import socket, sys
for port in map(int, sys.argv[1:]):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            print(port)
PYTHON
  )
  [ -z "$listening" ] || fail "somebody listens on port ${listening//$'\n'/, } of $HOST: choose others with --port-base"
}

all_ports() {
  local name variable
  for name in "${PORT_NAMES[@]}"; do
    variable=PORT_$name
    echo "${!variable}"
  done
}

# A second run takes what the first was told.
remember() {
  local file="$STATE/settings" given=$1
  if [ -e "$file" ]; then
    # shellcheck source=/dev/null
    . "$file"
    [ -z "$given" ] || [ "$given" = "$PORT_BASE" ] || fail "this lab has its ports from $PORT_BASE on: --down first"
  else
    PORT_BASE=${given:-28000}
    # Sixteen characters that need no quoting anywhere.
    PASSWORD=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
    (umask 077 && printf 'PORT_BASE=%s\nPASSWORD=%s\n' "$PORT_BASE" "$PASSWORD" >"$file")
  fi
  number_ports "$PORT_BASE"
}

make_directories() {
  mkdir -p "$STATE" "$LOGS" "$RUN" "$DONE" "$CONF" "$DATA"
  chmod 700 "$STATE"
}

AUTH_URL() {
  echo "http://$HOST:$PORT_KEYSTONE/v3"
}

REGION=RegionOne
