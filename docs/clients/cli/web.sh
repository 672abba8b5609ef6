#!/bin/sh
# A web site behind one load balancer, by the openstack command. Who you are comes from an openrc or a clouds.yaml.
#   NAME     what every object's name begins with (web)
#   SUBNET   the subnet that the VIP is taken from
#   MEMBERS  addresses of the members, separated by blanks
set -eu
NAME=${NAME:-web}

openstack loadbalancer create --name "$NAME" --vip-subnet-id "$SUBNET" --wait
openstack loadbalancer pool create --name "$NAME-pool" --loadbalancer "$NAME" --protocol HTTP --lb-algorithm ROUND_ROBIN --wait
openstack loadbalancer listener create --name "$NAME-http" --protocol HTTP --protocol-port 80 --default-pool "$NAME-pool" --wait "$NAME"
for address in $MEMBERS; do
  openstack loadbalancer member create --address "$address" --protocol-port 80 --wait "$NAME-pool"
done
openstack loadbalancer healthmonitor create --delay 5 --timeout 3 --max-retries 3 --type HTTP --url-path / --wait "$NAME-pool"
openstack loadbalancer status show "$NAME"
