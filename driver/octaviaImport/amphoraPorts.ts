import type { NetworkDriver } from '../clouds/network/port';
import type { PairsBefore } from '../db/octaviaImports';
import { PassedThroughError } from '../domain/errors';
import { ImportError } from './deps';
import type { OctaviaTree } from './source';
import { optional } from './translate';

/** The ports by which amphorae answer for VIPs: what they may answer for is taken from them, and given back by an undo. */

/** By port: the address pairs it has now. A port that is gone has none to lose. */
export async function readAmphoraPairs(network: NetworkDriver, tree: OctaviaTree): Promise<PairsBefore> {
  const ids = tree.amphorae.flatMap((row) => optional(row, 'vrrp_port_id') ?? []).map(String);
  const ports = await Promise.all(ids.map((id) => network.findPort(id)));
  return Object.fromEntries(
    ports.flatMap((port) => (port ? [[port.id, port.allowedAddressPairs.map(({ ipAddress }) => ipAddress)]] : [])),
  );
}

export async function cutAmphorae(network: NetworkDriver, before: PairsBefore, vips: readonly string[]): Promise<void> {
  const isVip = (address: string): boolean => vips.includes(address.replace(/\/(?:32|128)$/, ''));
  for (const [portId, pairs] of Object.entries(before)) {
    if (pairs.some(isVip)) await changePairs(network, portId, (have) => have.filter((it) => !isVip(it)));
  }
}

export async function reviveAmphorae(network: NetworkDriver, before: PairsBefore): Promise<void> {
  for (const [portId, pairs] of Object.entries(before)) {
    await changePairs(network, portId, (have) => [...new Set([...have, ...pairs])]);
  }
}

const TRIES = 10;
const OVERTAKEN = 412;

async function changePairs(
  network: NetworkDriver,
  portId: string,
  change: (pairs: readonly string[]) => readonly string[],
): Promise<void> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const port = await network.findPort(portId);
    if (!port) return;
    const pairs = change(port.allowedAddressPairs.map(({ ipAddress }) => ipAddress));
    if (pairs.length === port.allowedAddressPairs.length) return;
    try {
      const allowedAddressPairs = pairs.map((ipAddress) => ({ ipAddress }));
      await network.updatePort(portId, { allowedAddressPairs }, { ifRevision: port.revision });
      return;
    } catch (error) {
      if (!(error instanceof PassedThroughError) || error.status !== OVERTAKEN) throw error;
    }
  }
  throw new ImportError(`the address pairs of port ${portId} change all the time`);
}
