# shellcheck shell=bash
# What the lab tells others: lab.json for programs, rc files and clouds.yaml for people and clients.

write_lab_json() {
  local host="http://$HOST"
  (
    umask 077
    cat >"$STATE/lab.json" <<JSON
{
  "auth_url": "$(AUTH_URL)",
  "region": "$REGION",
  "password": "$PASSWORD",
  "horizon_url": "$host:$PORT_HORIZON/",
  "load_balancer_url": "$host:$PORT_LOAD_BALANCER",
  "health_manager": {"host": "$HOST", "port": $PORT_HEALTH_MANAGER},
  "database_url": "$(database_url slipstream)",
  "transport_url": "$(transport_url)",
  "services": [
    {"name": "glance", "type": "image", "url": "$host:$PORT_GLANCE"},
    {"name": "placement", "type": "placement", "url": "$host:$PORT_PLACEMENT"},
    {"name": "nova", "type": "compute", "url": "$host:$PORT_NOVA/v2.1"},
    {"name": "neutron", "type": "network", "url": "$host:$PORT_NEUTRON"},
    {"name": "barbican", "type": "key-manager", "url": "$host:$PORT_BARBICAN"},
    {"name": "heat", "type": "orchestration", "url": "$host:$PORT_HEAT/v1/%(tenant_id)s"},
    {"name": "octavia", "type": "load-balancer", "url": "$host:$PORT_LOAD_BALANCER"}
  ],
  "ports": {
$(port_list)
  }
}
JSON
  )
}

port_list() {
  local name variable lines=()
  for name in "${PORT_NAMES[@]}"; do
    variable=PORT_$name
    lines+=("    \"${name,,}\": ${!variable}")
  done
  (IFS=,; printf '%s\n' "${lines[*]}" | sed 's/,/,\n/g')
}

# USER PROJECT NAME
write_openrc() {
  (
    umask 077
    cat >"$STATE/openrc-$3" <<SH
unset OS_CLOUD OS_TOKEN OS_SYSTEM_SCOPE OS_APPLICATION_CREDENTIAL_ID OS_APPLICATION_CREDENTIAL_SECRET
export OS_AUTH_TYPE=password OS_IDENTITY_API_VERSION=3
export OS_AUTH_URL=$(AUTH_URL)
export OS_USERNAME=$1 OS_PASSWORD=$PASSWORD OS_USER_DOMAIN_ID=default
export OS_PROJECT_NAME=$2 OS_PROJECT_DOMAIN_ID=default
export OS_REGION_NAME=$REGION
SH
  )
}

write_clouds_yaml() {
  local entry user project
  (
    umask 077
    echo 'clouds:'
    for entry in admin:admin demo:demo reader:demo plain:demo other:other; do
      user=${entry%:*} project=${entry#*:}
      cat <<YAML
  lab-$user:
    region_name: $REGION
    identity_api_version: 3
    auth:
      auth_url: $(AUTH_URL)
      username: $user
      password: $PASSWORD
      project_name: $project
      user_domain_id: default
      project_domain_id: default
YAML
    done
  ) >"$STATE/clouds.yaml"
  chmod 600 "$STATE/clouds.yaml"
}

describe_lab() {
  write_lab_json
  write_openrc admin admin admin
  write_openrc demo demo demo
  write_openrc reader demo reader
  write_clouds_yaml
}
