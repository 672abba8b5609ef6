import type { Setting } from './settings';

type Verb = 'POST' | 'PUT' | 'BATCH';
const VERBS: readonly Verb[] = ['POST', 'PUT', 'BATCH'];

/** Fields of every resource that no packet can tell apart. */
const OF_ALL: Readonly<Record<string, string>> = {
  name: 'for people',
  description: 'for people',
  tags: 'for people and their lists',
  project_id: 'says whose it is; below a load balancer it is accepted and ignored',
  tenant_id: 'the old name of project_id',
};

/** Further settings that mean nothing to traffic, or nothing that packets of a test host could show, each with its reason. */
const OF_ONE: Readonly<Partial<Record<Setting, string>>> = {
  'POST loadbalancer.provider': 'all names of this driver are the same driver',
  'POST loadbalancer.flavor_id': 'chooses engines, not what they do',
  'POST loadbalancer.availability_zone': 'chooses engines, not what they do',
  'POST loadbalancer.vip_qos_policy_id': "is written onto the VIP's port: the cloud's network does it",
  'PUT loadbalancer.vip_qos_policy_id': "is written onto the VIP's port: the cloud's network does it",
  'POST loadbalancer.vip_sg_ids':
    "are written onto the VIP's port: the cloud's network does it, and loopback knows none",
  'PUT loadbalancer.vip_sg_ids':
    "are written onto the VIP's port: the cloud's network does it, and loopback knows none",
  'POST additional_vip.port_id': 'is accepted and ignored: the service makes the port',
  'POST listener.timeout_tcp_inspect':
    'bounds how long rules on the content of a TCP stream may wait for it, and no setting makes such a rule',
  'PUT listener.timeout_tcp_inspect': 'as with POST',
};

/** What needs no row, by setting, with the reason. */
export function reasonsWithout(settings: ReadonlySet<string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const setting of settings) {
    const [verb = '', field = ''] = setting.split(' ');
    const reason = OF_ONE[setting as Setting] ?? OF_ALL[field.slice(field.indexOf('.') + 1)];
    if (reason !== undefined && VERBS.includes(verb as Verb)) found.set(setting, reason);
  }
  return found;
}

/** The settings named one by one, so that a test can tell those that are gone. */
export const NAMED_WITHOUT: readonly string[] = Object.keys(OF_ONE);
