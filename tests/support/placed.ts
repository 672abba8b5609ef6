import { randomUUID } from 'node:crypto';
import { type Db, inTransaction } from '../../driver/db/connect';
import { needVnic, recordVnicFacts, recordVnicPort } from '../../driver/db/vnics';
import { addListener, addLoadBalancer, addMember, addPlacement, addPool } from './fleetRows';
import { waitUntil } from './wait';

/** A load balancer that engines are to serve in a network of its own, with one HTTP listener on port 80. */
export interface Wanted {
  readonly vip: string;
  /** Also the network's id. */
  readonly domainId: string;
  readonly member: { readonly address: string; readonly port: number };
  /** The engine's vNIC in the VIP's network; its address has a prefix length. */
  readonly vnic: { readonly macAddress: string; readonly address: string; readonly gateways?: readonly string[] };
}

export interface Placed {
  readonly loadBalancerId: string;
  readonly placementId: string;
}

/** Rows as API, worker and Neutron's ports make them. */
export async function placeOn({ db }: { readonly db: Db }, engineId: string, wanted: Wanted): Promise<Placed> {
  const { vip, domainId, member } = wanted;
  const loadBalancerId = await addLoadBalancer(db);
  await db('vip').where({ load_balancer_id: loadBalancerId }).update({ ip_address: vip, network_id: domainId });
  const poolId = await addPool(db, loadBalancerId);
  await addMember(db, poolId, { ip_address: member.address, protocol_port: member.port });
  await addListener(db, loadBalancerId, { protocol_port: 80, default_pool_id: poolId });
  await wantVnic({ db }, { engineId, loadBalancerId }, wanted);
  return { loadBalancerId, placementId: await addPlacement(db, { loadBalancerId, engineId }) };
}

/** That the load balancer needs the engine's vNIC, which is plugged in: for an engine more than the one it was placed on. */
export async function wantVnic(
  { db }: { readonly db: Db },
  { engineId, loadBalancerId }: { readonly engineId: string; readonly loadBalancerId: string },
  { domainId, vnic }: Pick<Wanted, 'domainId' | 'vnic'>,
): Promise<void> {
  const need = { id: randomUUID(), engineId, loadBalancerId, networkId: domainId, domainId };
  const { id } = await inTransaction(db, (trx) => needVnic(trx, { ...need, subnetId: null, vipSide: true }));
  const [ipAddress = ''] = vnic.address.split('/');
  await recordVnicPort(db, id, { portId: `port-${id.slice(0, 8)}`, macAddress: vnic.macAddress, ipAddress });
  const facts = { subnetIds: [], mtu: 1500, gateways: vnic.gateways ?? [], hostRoutes: [], staticRoutes: [] };
  await recordVnicFacts(db, id, { ...facts, addresses: [vnic.address] });
}

/** Waits until the engine has said that it serves the placement. */
export async function waitUntilConfirmed(
  { db }: { readonly db: Db },
  { placementId }: Placed,
  timeout: number,
): Promise<void> {
  await waitUntil('the placement is confirmed', timeout, async () => {
    const row = await db('placement').where({ id: placementId }).first('confirmed_generation');
    return row?.confirmed_generation === 1;
  });
}
