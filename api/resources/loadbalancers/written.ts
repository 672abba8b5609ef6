import { toDbTime, toJson } from '../../../driver/db/codecs';
import type { NewLoadBalancer } from '../../../driver/db/loadBalancers';
import type { LoadBalancerRead } from '../../../driver/db/read/loadBalancers';
import type { Graph } from './graph';
import type { VipPortWish, VipRows } from './vipPort';

interface Written {
  readonly loadBalancer: NewLoadBalancer;
  readonly tags: readonly string[];
  readonly graph: Graph;
  readonly wish: VipPortWish;
  readonly vips: VipRows;
  readonly at: Date;
}

/**
 * What reading a new load balancer would find, so that the commonest create, a bare one, needs no reading: that is a
 * sixth of its cost. Undefined for one with anything in further tables than the VIP's and the tags'.
 */
export function writtenLoadBalancer({
  loadBalancer,
  tags,
  graph,
  wish,
  vips,
  at,
}: Written): LoadBalancerRead | undefined {
  const { vip, additionalVips } = vips;
  const related = [graph.listeners, graph.pools, additionalVips, wish.securityGroupIds];
  if (related.some((rows) => rows.length > 0)) return undefined;
  return {
    ...loadBalancer,
    provisioning_status: 'PENDING_CREATE',
    operating_status: 'OFFLINE',
    created_at: toDbTime(at),
    updated_at: null,
    ip_address: vip.ip_address,
    port_id: vip.port_id,
    subnet_id: vip.subnet_id,
    network_id: vip.network_id,
    qos_policy_id: vip.qos_policy_id,
    vnic_type: vip.vnic_type,
    listener_ids: null,
    pool_ids: null,
    tags: toJson(tags),
    sg_ids: null,
    additional_vips: null,
  };
}
