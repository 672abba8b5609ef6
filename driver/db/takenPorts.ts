import { fromJson, toJson } from './codecs';
import { type Db, dbNow } from './connect';
import type { TakenPortRow } from './rows';

/**
 * Ports of users that load balancers have taken for their VIPs. The row is there before the port is changed, and goes when
 * the port has been given back.
 */

/** What a port was like when it was taken. */
export interface PortBefore {
  readonly deviceOwner: string;
  readonly qosPolicyId: string | null;
  readonly securityGroupIds: readonly string[];
}

/** A port may have been taken before by a create that failed without a trace. */
export async function noteTakenPort(
  db: Db,
  { portId, loadBalancerId, had }: { portId: string; loadBalancerId: string; had: PortBefore },
): Promise<void> {
  await db('taken_port').where({ port_id: portId }).delete();
  await db('taken_port').insert({
    port_id: portId,
    load_balancer_id: loadBalancerId,
    had: toJson(had),
    taken_at: dbNow(db),
  });
}

/** Undefined for a port that the load balancer has not taken, or did before this was noted. */
export async function findPortBefore(db: Db, portId: string, loadBalancerId: string): Promise<PortBefore | undefined> {
  const row: TakenPortRow | undefined = await db('taken_port')
    .where({ port_id: portId, load_balancer_id: loadBalancerId })
    .first('*');
  return row && fromJson<PortBefore>(row.had);
}

export async function forgetTakenPort(db: Db, portId: string, loadBalancerId: string): Promise<void> {
  await db('taken_port').where({ port_id: portId, load_balancer_id: loadBalancerId }).delete();
}
