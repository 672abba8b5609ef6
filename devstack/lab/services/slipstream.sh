# shellcheck shell=bash
# Slipstream as the load-balancer service: four processes, and the hosts that boot what Nova only pretends to boot.

# The checkout whose build runs; another than this one lets a lab outlive changes here.
SOURCE=${SLIPSTREAM_SOURCE:-$ROOT}
SLIPSTREAM_PROCESSES=(api worker health-manager housekeeping)

start_slipstream() {
  # shellcheck source=/dev/null
  . "$STATE/cloud.sh"
  build_slipstream
  [ -e "$CONF/engine-ca/ca.pem" ] || slipstream ca create --directory "$CONF/engine-ca" >>"$LOGS/setup-slipstream-ca.log" 2>&1 ||
    fail "the CA of engines: see $LOGS/setup-slipstream-ca.log"
  configure_slipstream
  once engine-image upload_engine_image
  slipstream db upgrade --config-file "$CONF/slipstream.conf" >>"$LOGS/setup-slipstream-schema.log" 2>&1 ||
    fail "the schema of Slipstream: see $LOGS/setup-slipstream-schema.log"
  local name
  for name in "${SLIPSTREAM_PROCESSES[@]}"; do
    end_if_older_than_build "slipstream-$name"
    daemon "slipstream-$name" node "$SOURCE/dist/driver/cli.js" "$name" --config-file "$CONF/slipstream.conf"
  done
  start_hosts
  wait_until slipstream-api 60 is_healthy "http://$HOST:$PORT_LOAD_BALANCER/healthcheck"
  wait_until slipstream-worker 60 is_healthy "http://$HOST:$PORT_WORKER_METRICS/healthcheck"
  wait_until slipstream-health-manager 60 is_healthy "http://$HOST:$PORT_HEALTH_MANAGER_METRICS/healthcheck"
  wait_until slipstream-housekeeping 60 is_healthy "http://$HOST:$PORT_HOUSEKEEPING_METRICS/healthcheck"
  say 'Slipstream answers'
}

slipstream() {
  node "$SOURCE/dist/driver/cli.js" "$@"
}

is_healthy() {
  curl --silent --fail --output /dev/null --max-time 10 "$1"
}

build_slipstream() {
  [ "$SOURCE" = "$ROOT" ] || return 0
  local log="$LOGS/setup-build.log"
  node -e 'const p = require(process.argv[1]); p.prepare(p.ensureModules, p.ensureBuild)' "$ROOT/devstack/prepare.cjs" \
    >>"$log" 2>&1 || fail "Slipstream cannot be built: see $log"
}

end_if_older_than_build() {
  if [ "$RUN/$1.pid" -ot "$SOURCE/dist/.built" ]; then end "$1" 300; fi
}

configure_slipstream() {
  (
    umask 077
    cat >"$CONF/slipstream.conf" <<INI
[DEFAULT]
transport_url = $(transport_url)
debug = true
[database]
connection = $(database_url slipstream)
[api_settings]
bind_host = $HOST
bind_port = $PORT_LOAD_BALANCER
auth_strategy = keystone
# Two cores carry a whole cloud: a change may take seconds, and nine others wait for it when Terraform works.
immutable_wait = 60
[controller_worker]
network_driver = neutron
compute_driver = nova
amp_flavor_id = $CLOUD_ENGINE_FLAVOR_ID
amp_image_tag = slipstream-engine
amp_image_owner_id = $CLOUD_SERVICE_PROJECT_ID
amp_boot_network_list = $CLOUD_MANAGEMENT_NETWORK_ID
amp_secgroup_list = $CLOUD_MANAGEMENT_SECURITY_GROUP_ID
metrics_port = $PORT_WORKER_METRICS
[health_manager]
bind_ip = $HOST
bind_port = $PORT_HEALTH_MANAGER
controller_ip_port_list = $CLOUD_MANAGEMENT_GATEWAY:$PORT_HEALTH_MANAGER
# Connections of engines come through relays of the hosts.
check_engine_address = false
metrics_port = $PORT_HEALTH_MANAGER_METRICS
[certificates]
ca_certificate = $CONF/engine-ca/ca.pem
ca_private_key = $CONF/engine-ca/ca.key
[house_keeping]
metrics_port = $PORT_HOUSEKEEPING_METRICS
# Tests wait for what others see within a minute.
audit_interval = 15
[service_engine]
retire_after = 20
[nova]
enable_anti_affinity = true
[keystone_authtoken]
www_authenticate_uri = $(AUTH_URL)
$(credentials octavia)
INI
  )
}

# Nothing boots from it here: any content will do, and it is the same each time.
upload_engine_image() {
  local file="$DATA/slipstream-engine.raw"
  head -c 1048576 /dev/zero >"$file"
  OS_AUTH_URL=$(AUTH_URL) OS_USERNAME=octavia OS_PASSWORD=$PASSWORD OS_PROJECT_NAME=service OS_REGION_NAME=$REGION \
    OS_USER_DOMAIN_ID=default OS_PROJECT_DOMAIN_ID=default \
    slipstream image upload "$file" --name slipstream-engine --tag slipstream-engine --disk-format raw
}

start_hosts() {
  local config="$CONF/hosts.json"
  (
    umask 077
    cat >"$config" <<JSON
{
  "auth": {
    "url": "$(AUTH_URL)", "username": "admin", "password": "$PASSWORD", "projectName": "admin", "region": "$REGION"
  },
  "stateDir": "$DATA/hosts",
  "logDir": "$LOGS/servers",
  "management": [
    {
      "network": "$CLOUD_MANAGEMENT_NETWORK_ID",
      "forwards": [{ "port": $PORT_HEALTH_MANAGER, "to": $PORT_HEALTH_MANAGER }]
    },
    {
      "network": "$CLOUD_ENGINES_NETWORK_ID",
      "forwards": [{ "port": $PORT_HEALTH_MANAGER, "to": $PORT_SINGLE_PROJECT_HEALTH_MANAGER }]
    }
  ],
  "agent": { "command": ["$(command -v node)", "$SOURCE/dist/driver/cli.js", "agent"] }
}
JSON
  )
  mkdir -p "$LOGS/servers"
  daemon hosts node "$SOURCE/devstack/run-ts.cjs" "$SOURCE/devstack/lab/hosts/main.ts" --config "$config"
}

# Its namespaces and what runs in them; also those of one that was killed.
remove_hosts() {
  [ -e "$CONF/hosts.json" ] || return 0
  node "$SOURCE/devstack/run-ts.cjs" "$SOURCE/devstack/lab/hosts/main.ts" --config "$CONF/hosts.json" --down
}
