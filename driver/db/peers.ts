import { createHash } from 'node:crypto';
import { choosePeerPort, type Peer } from '../domain/peers';
import { type Db, prepared } from './connect';
import { DuplicateKeyError } from './errors';
import type { PeerPortRow, SeVnicRow } from './rows';
import { toVnic, type Vnic } from './vnics';

/** Where the engines of load balancers share what they learn of clients. */

export interface PeerPort {
  readonly port: number;
  /** What `notePeersTold` was last given; null: nothing. */
  readonly told: string | null;
}

/** Undefined until `ensurePeerPort`. */
export async function findPeerPort(db: Db, loadBalancerId: string): Promise<PeerPort | undefined> {
  const [row] = await prepared<Pick<PeerPortRow, 'port' | 'told'>>(
    db,
    'select port, told from peer_port where load_balancer_id = ?',
    [loadBalancerId],
  );
  return row && { port: Number(row.port), told: row.told };
}

/** Attempts at a port when others take the ones that were chosen. */
const ATTEMPTS = 10;

/** Gives the load balancer a port that no other one has in its VIP network. Undefined when all are taken. */
export async function ensurePeerPort(db: Db, loadBalancerId: string, networkId: string): Promise<PeerPort | undefined> {
  const seed = createHash('sha256').update(loadBalancerId).digest().readUInt32BE(0);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const known = await findPeerPort(db, loadBalancerId);
    if (known) return known;
    const rows: Pick<PeerPortRow, 'port'>[] = await db('peer_port').where({ network_id: networkId }).select('port');
    const port = choosePeerPort(seed, new Set(rows.map((row) => Number(row.port))));
    if (port === null) return undefined;
    try {
      await db('peer_port').insert({ load_balancer_id: loadBalancerId, network_id: networkId, port, told: null });
      return { port, told: null };
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
  }
  return undefined;
}

/** The vNICs, in the load balancer's domain, of the engines it is placed on and not being taken off. */
export async function listPeerVnics(db: Db, loadBalancerId: string): Promise<readonly Vnic[]> {
  const rows = await prepared<SeVnicRow>(
    db,
    `select v.* from peer_port r join placement p on p.load_balancer_id = r.load_balancer_id and p.deleting = 0
      join se_vnic v on v.service_engine_id = p.service_engine_id and v.domain_id = r.network_id and v.deleting = 0
      where r.load_balancer_id = ?`,
    [loadBalancerId],
  );
  return rows.map(toVnic);
}

/** Stands for these peers; equal ones give the same. */
export function digestOfPeers(peers: readonly Peer[]): string {
  const text = JSON.stringify(peers.map(({ engineId, address }) => [engineId, address]));
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

export async function notePeersTold(db: Db, loadBalancerId: string, told: string): Promise<void> {
  await db('peer_port').where({ load_balancer_id: loadBalancerId }).update({ told });
}
