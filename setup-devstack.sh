#!/usr/bin/env bash
# Brings up an OpenStack on this host (Debian or Ubuntu, as root) with Slipstream as its load-balancer service, all of it
# on loopback and below one directory. Run again, it brings up what is down.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB=$ROOT/devstack/lab

usage() {
  cat <<TEXT
usage: setup-devstack.sh [--state DIR] [--port-base PORT] [--down | --status | --restart NAME... | --devstack [DIR]]

Without an action: brings up MariaDB, RabbitMQ, memcached, Keystone, Glance, Placement, Nova (its fake hypervisor),
Neutron, Barbican, Heat, Horizon and Slipstream from packages, and prints how to use them.

  --state DIR       where configuration, data and logs are (default: var/lab in this project)
  --port-base PORT  first of the ports on 127.0.0.1 (default: 28000)
  --down            end everything and remove DIR
  --status          say what runs
  --restart NAME... end these daemons and bring up what is down ("slipstream" stands for all of Slipstream)
  --devstack [DIR]  on a host with Internet: clone DevStack into DIR (default: /opt/stack/devstack) and run it with
                    the plugin of this project instead
TEXT
}

STATE=$ROOT/var/lab
ACTION=up
GIVEN_PORT_BASE=
ARGUMENTS=()

read_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --state) STATE=$(realpath -m "${2:?--state needs a directory}") && shift ;;
      --port-base) GIVEN_PORT_BASE=${2:?--port-base needs a number} && shift ;;
      --down | --status) ACTION=${1#--} ;;
      --restart | --devstack) ACTION=${1#--} && shift && ARGUMENTS=("$@") && break ;;
      -h | --help) usage && exit 0 ;;
      *) usage >&2 && exit 2 ;;
    esac
    shift
  done
}

read_arguments "$@"
exec 3>&1
for part in common settings sections packages describe devstack services/{backbone,keystone,glance,placement,neutron,nova} \
  services/{barbican,heat,horizon,slipstream}; do
  # shellcheck source=/dev/null
  . "$LAB/$part.sh"
done
export PATH=$PATH:/usr/sbin:/sbin

bring_up() {
  [ "$(id -u)" = 0 ] || fail 'root is needed'
  make_directories
  exec 8>"$STATE/lock"
  flock -n 8 || fail "another run works on $STATE"
  remember "$GIVEN_PORT_BASE"
  # Ports of a lab that is up are its own.
  [ -n "$(daemons)" ] || check_ports
  describe_lab
  install_packages
  ensure_node
  # Slow ones first: the two processors are busy all the time.
  abreast start_mariadb start_rabbitmq start_memcached
  say 'MariaDB, RabbitMQ and memcached answer'
  abreast setup_keystone prepare_others
  abreast start_neutron start_nova start_glance start_placement start_barbican start_heat start_horizon
  wait_for_apis
  say 'all services answer'
  once cloud python "$LAB/python/cloud.py" "$STATE"
  say 'networks, flavors, users and the image are there'
  start_slipstream
  print_summary
}

prepare_others() {
  prepare_neutron
  prepare_nova
  prepare_glance
  prepare_placement
  prepare_barbican
  prepare_heat
  say 'the schemas of all services are there'
}

wait_for_apis() {
  wait_until glance 90 answers "http://$HOST:$PORT_GLANCE/"
  wait_until placement 90 answers "http://$HOST:$PORT_PLACEMENT/"
  wait_until neutron 120 answers "http://$HOST:$PORT_NEUTRON/v2.0/"
  wait_until nova-api 120 answers "http://$HOST:$PORT_NOVA/v2.1/"
  wait_until barbican 90 answers "http://$HOST:$PORT_BARBICAN/"
  wait_until heat-api 90 answers "http://$HOST:$PORT_HEAT/"
  wait_until horizon 120 answers "http://$HOST:$PORT_HORIZON/auth/login/"
}

take_down() {
  [ -e "$STATE/settings" ] || { say "there is no lab below $STATE" && return 0; }
  local name
  # First those that others do not stand on, all at once.
  for name in $(daemons); do
    is_backbone "$name" || end "$name" 600 &
  done
  wait
  remove_hosts || say 'namespaces of servers may be left: see ip netns'
  for name in $(daemons); do
    end "$name" 300 &
  done
  wait
  rm -rf "$STATE"
  say 'down'
}

is_backbone() {
  case $1 in
    mariadb | rabbitmq | epmd | memcached) return 0 ;;
  esac
  return 1
}

print_status() {
  local name
  while read -r name; do
    [ -z "$name" ] || printf '%-24s %s\n' "$name" "$(runs "$name" && echo up || echo DOWN)"
  done < <(daemons | sort)
}

restart() {
  local name known
  for name in "$@"; do
    for known in $(daemons); do
      if [ "$known" = "$name" ] || [[ $known = "$name"-* ]]; then end "$known"; fi
    done
  done
  bring_up
}

print_summary() {
  cat <<TEXT

OpenStack with Slipstream is up after $SECONDS s.
  command line   . $STATE/openrc-admin      (or openrc-demo, openrc-reader; clouds.yaml beside it)
  Horizon        http://$HOST:$PORT_HORIZON/  domain Default, user admin or demo, password $PASSWORD
  load balancers http://$HOST:$PORT_LOAD_BALANCER
  logs           $LOGS
  end it         $ROOT/setup-devstack.sh --state $STATE --down
TEXT
}

case $ACTION in
  up) bring_up ;;
  down) take_down ;;
  status) print_status ;;
  restart) restart "${ARGUMENTS[@]}" ;;
  devstack) run_devstack "${ARGUMENTS[@]}" ;;
esac
