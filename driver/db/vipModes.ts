import type { Db } from './connect';

/** Notes how the VIPs of a load balancer are wired, unless that was chosen before. */
export async function chooseVipMode(db: Db, loadBalancerId: string, mode: 'aap' | 'bgp'): Promise<void> {
  await db('load_balancer').where({ id: loadBalancerId }).whereNull('vip_mode').update({ vip_mode: mode });
}

/** Notes the floating IP that is about to be allocated, or null once it is gone. */
export async function noteFloatingIp(db: Db, loadBalancerId: string, floatingIpId: string | null): Promise<void> {
  await db('load_balancer').where({ id: loadBalancerId }).update({ floating_ip_id: floatingIpId });
}

/** Those of the ports that are engines', any engine's. */
export async function keepEnginePorts(db: Db, portIds: readonly string[]): Promise<readonly string[]> {
  return portIds.length === 0 ? [] : db('se_vnic').whereIn('port_id', portIds).pluck('port_id');
}

/** Hosts of engines, as far as they are known. */
export async function listHosts(db: Db, engineIds: readonly string[]): Promise<readonly EngineHost[]> {
  const rows: { id: string; name: string; host: string | null }[] = await db('service_engine')
    .whereIn('id', engineIds)
    .whereNotNull('host')
    .orderBy('name')
    .select('id', 'name', 'host');
  return rows.map(({ id, name, host }) => ({ engineId: id, engineName: name, host: host ?? '' }));
}

export interface EngineHost {
  readonly engineId: string;
  readonly engineName: string;
  readonly host: string;
}
