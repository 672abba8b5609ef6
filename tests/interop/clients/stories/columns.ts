/** What the client shows of each object in a list, in its order: every one is a key that the API must answer. */
export const LIST_COLUMNS = {
  loadbalancer: ['id', 'name', 'project_id', 'vip_address', 'provisioning_status', 'operating_status', 'provider'],
  listener: ['id', 'default_pool_id', 'name', 'project_id', 'protocol', 'protocol_port', 'admin_state_up'],
  pool: ['id', 'name', 'project_id', 'provisioning_status', 'protocol', 'lb_algorithm', 'admin_state_up'],
  member: ['id', 'name', 'project_id', 'provisioning_status', 'address', 'protocol_port', 'operating_status', 'weight'],
  healthmonitor: ['id', 'name', 'project_id', 'type', 'admin_state_up'],
  l7policy: ['id', 'name', 'project_id', 'provisioning_status', 'action', 'position', 'admin_state_up'],
  l7rule: [
    'id',
    'project_id',
    'provisioning_status',
    'compare_type',
    'type',
    'key',
    'value',
    'invert',
    'admin_state_up',
  ],
  quota: ['project_id', 'load_balancer', 'listener', 'pool', 'health_monitor', 'member', 'l7policy', 'l7rule'],
  flavor: ['id', 'name', 'flavor_profile_id', 'enabled'],
  flavorprofile: ['id', 'name', 'provider_name'],
  availabilityzone: ['name', 'availability_zone_profile_id', 'enabled'],
  availabilityzoneprofile: ['id', 'name', 'provider_name'],
  provider: ['name', 'description'],
  capability: ['type', 'name', 'description'],
  amphora: ['id', 'loadbalancer_id', 'status', 'role', 'lb_network_ip', 'ha_ip'],
} as const;

/** The columns of the rows of a list, which must not be empty. */
export function columnsOf(rows: readonly Record<string, unknown>[]): string[] {
  const [first] = rows;
  if (first === undefined) throw new Error('the list is empty');
  return Object.keys(first);
}

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** As Octavia writes times: UTC without a zone. */
export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$/;
