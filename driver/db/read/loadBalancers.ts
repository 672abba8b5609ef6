import { idList } from '../connect';
import type { LoadBalancerRow, VipRow } from '../rows';
import { NOT_DELETED, type ReadModel, TREE_ATTRIBUTES, TREE_COLUMNS, text } from './model';
import { childIds, rowList, tagsOf } from './relations';

export type LoadBalancerRead = Pick<
  LoadBalancerRow,
  | 'id'
  | 'project_id'
  | 'provisioning_status'
  | 'operating_status'
  | 'enabled'
  | 'created_at'
  | 'updated_at'
  | 'name'
  | 'description'
  | 'provider'
  | 'flavor_id'
  | 'availability_zone'
> & {
  [K in 'ip_address' | 'port_id' | 'subnet_id' | 'network_id' | 'qos_policy_id']: VipRow[K];
} & {
  vnic_type: string | null;
  listener_ids: string | null;
  pool_ids: string | null;
  tags: string | null;
  /** Read with `splitIds`. */
  sg_ids: string | null;
  /** Subnet, address and port of each; read with `splitRows`. */
  additional_vips: string | null;
};

const SECURITY_GROUPS = idList('s.sg_id', {
  from: 'vip_security_group s',
  where: 's.load_balancer_id = o.id',
  orderBy: 's.sg_id',
});
const ADDITIONAL_VIPS = rowList(['a.position', 'a.subnet_id', 'a.ip_address', 'a.port_id'], {
  from: 'additional_vip a',
  where: 'a.load_balancer_id = o.id',
});

/** Load balancers with their VIP. */
export const loadBalancers: ReadModel = {
  from: 'load_balancer o left join vip v on v.load_balancer_id = o.id',
  visible: NOT_DELETED,
  tagged: true,
  columns: (db) => [
    ...TREE_COLUMNS,
    'o.name',
    'o.description',
    'o.provider',
    'o.flavor_id',
    'o.availability_zone',
    'v.ip_address',
    'v.port_id',
    'v.subnet_id',
    'v.network_id',
    'v.qos_policy_id',
    'v.vnic_type',
    childIds('listener', 'load_balancer_id', 'listener_ids'),
    childIds('pool', 'load_balancer_id', 'pool_ids'),
    tagsOf(db),
    `${SECURITY_GROUPS} as sg_ids`,
    `${ADDITIONAL_VIPS} as additional_vips`,
  ],
  attributes: {
    ...TREE_ATTRIBUTES,
    name: text('o.name'),
    description: text('o.description'),
    provider: text('o.provider'),
    flavor_id: text('o.flavor_id'),
    availability_zone: text('o.availability_zone'),
    vip_address: text('v.ip_address'),
    vip_port_id: text('v.port_id'),
    vip_subnet_id: text('v.subnet_id'),
    vip_network_id: text('v.network_id'),
    vip_qos_policy_id: text('v.qos_policy_id'),
    vip_vnic_type: text('v.vnic_type'),
  },
};
