import { fromBit, splitIds, toApiTime } from '../../../driver/db/codecs';
import type { Db } from '../../../driver/db/connect';
import { type LoadBalancerRead, loadBalancers } from '../../../driver/db/read/loadBalancers';
import { splitRows, splitTexts } from '../../../driver/db/read/relations';
import type { Schemas } from '../../openapi/schemas';
import { idObjects } from '../idOnly';
import type { Kind } from '../kinds';
import { showWithin } from '../showWithin';
import { without } from '../without';

export type LoadBalancerView = Schemas['LoadBalancerView'];
type FullView = Schemas['LoadBalancerFullView'];

/** A load balancer as GET and PUT show it: ids of its listeners and pools. */
export function loadBalancerView(row: LoadBalancerRead): LoadBalancerView {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    provisioning_status: row.provisioning_status,
    operating_status: row.operating_status,
    admin_state_up: fromBit(row.enabled),
    project_id: row.project_id,
    created_at: toApiTime(row.created_at),
    updated_at: toApiTime(row.updated_at),
    vip_address: row.ip_address,
    vip_port_id: row.port_id,
    vip_subnet_id: row.subnet_id,
    vip_network_id: row.network_id,
    vip_sg_ids: splitIds(row.sg_ids),
    additional_vips: additionalVips(row.additional_vips),
    listeners: idObjects(row.listener_ids),
    pools: idObjects(row.pool_ids),
    provider: row.provider,
    flavor_id: row.flavor_id,
    vip_qos_policy_id: row.qos_policy_id,
    tags: splitTexts(row.tags),
    availability_zone: row.availability_zone,
    vip_vnic_type: row.vnic_type ?? 'normal',
    tenant_id: row.project_id,
  };
}

function additionalVips(list: string | null): Schemas['AdditionalVipView'][] {
  return splitRows(list).map(([subnetId = '', address, portId]) => ({
    subnet_id: subnetId,
    ip_address: address || null,
    port_id: portId || null,
  }));
}

/** A load balancer as POST answers it: listeners and pools whole and first. */
export function loadBalancerFullView(
  row: LoadBalancerRead,
  listeners: FullView['listeners'],
  pools: FullView['pools'],
): FullView {
  return { listeners, pools, ...without(loadBalancerView(row), 'listeners', 'pools') };
}

export const LOAD_BALANCER: Kind<LoadBalancerRead, LoadBalancerView> = {
  model: loadBalancers,
  view: loadBalancerView,
  table: 'load_balancer',
  title: 'Load Balancer',
  object: 'loadbalancer',
  root: 'loadbalancer',
  plural: 'loadbalancers',
  idParam: 'loadbalancer_id',
};

/** What a command answers with; sees its own transaction. */
export function showLoadBalancer(db: Db, id: string): Promise<LoadBalancerView> {
  return showWithin(db, LOAD_BALANCER, id);
}
