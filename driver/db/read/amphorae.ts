import type { Time } from '../rows';
import { type ReadModel, text, time } from './model';

/** A load balancer's place on an engine in Octavia's amphora form, or an engine that has none. */
export interface AmphoraRead {
  id: string;
  engine_id: string;
  load_balancer_id: string | null;
  compute_id: string | null;
  lb_network_ip: string | null;
  vrrp_ip: string | null;
  ha_ip: string | null;
  vrrp_port_id: string | null;
  ha_port_id: string | null;
  role: string | null;
  status: string;
  cached_zone: string | null;
  created_at: Time;
  updated_at: Time | null;
}

/** A load balancer on one engine stands alone; of several the primary is the master. */
const ROLE = `case when p.role <> 'primary' then 'BACKUP'
  when exists (select 1 from placement q where q.load_balancer_id = p.load_balancer_id and q.id <> p.id) then 'MASTER'
  else 'STANDALONE' end`;
const STATUS = `case when p.deleting = 1 or e.deleting = 1 then 'PENDING_DELETE' when e.status = 'BUILDING' then 'BOOTING'
  when p.stale = 1 or e.status in ('DOWN', 'GHOST') then 'ERROR'
  when p.confirmed_generation < 0 then 'PENDING_CREATE' else 'ALLOCATED' end`;
const SPARE_STATUS = `case when e.deleting = 1 then 'PENDING_DELETE' when e.status = 'BUILDING' then 'BOOTING'
  when e.status = 'READY' then 'READY' else 'ERROR' end`;

const PLACED = `select p.id, e.id as engine_id, p.load_balancer_id, l.project_id, e.compute_id,
  e.management_address as lb_network_ip, n.ip_address as vrrp_ip, v.ip_address as ha_ip, n.port_id as vrrp_port_id,
  v.port_id as ha_port_id, ${ROLE} as role, ${STATUS} as status, e.availability_zone as cached_zone, p.created_at,
  p.updated_at
  from placement p join service_engine e on e.id = p.service_engine_id join load_balancer l on l.id = p.load_balancer_id
  left join vip v on v.load_balancer_id = p.load_balancer_id
  left join se_vnic n on n.service_engine_id = e.id and n.network_id = v.network_id and n.deleting = 0
    and (n.domain_id is null or n.domain_id = v.network_id)`;
const SPARE = `select e.id, e.id as engine_id, null as load_balancer_id, null as project_id, e.compute_id,
  e.management_address as lb_network_ip, null as vrrp_ip, null as ha_ip, null as vrrp_port_id, null as ha_port_id,
  null as role, ${SPARE_STATUS} as status, e.availability_zone as cached_zone, e.created_at, e.updated_at
  from service_engine e where not exists (select 1 from placement q where q.service_engine_id = e.id)`;

export const amphorae: ReadModel = {
  from: `(${PLACED} union all ${SPARE}) o`,
  columns: () => [
    'o.id',
    'o.engine_id',
    'o.load_balancer_id',
    'o.compute_id',
    'o.lb_network_ip',
    'o.vrrp_ip',
    'o.ha_ip',
    'o.vrrp_port_id',
    'o.ha_port_id',
    'o.role',
    'o.status',
    'o.cached_zone',
    'o.created_at',
    'o.updated_at',
  ],
  attributes: {
    id: text('o.id'),
    loadbalancer_id: text('o.load_balancer_id'),
    load_balancer_id: text('o.load_balancer_id'),
    project_id: text('o.project_id'),
    compute_id: text('o.compute_id'),
    lb_network_ip: text('o.lb_network_ip'),
    vrrp_ip: text('o.vrrp_ip'),
    ha_ip: text('o.ha_ip'),
    vrrp_port_id: text('o.vrrp_port_id'),
    ha_port_id: text('o.ha_port_id'),
    role: text('o.role'),
    status: text('o.status'),
    cached_zone: text('o.cached_zone'),
    created_at: time('o.created_at'),
    updated_at: time('o.updated_at'),
  },
};
