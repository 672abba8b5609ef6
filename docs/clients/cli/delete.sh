#!/bin/sh
# Takes away what web.sh has made: the load balancer and everything in it, its VIP included.
set -eu
openstack loadbalancer delete --cascade --wait "${NAME:-web}"
