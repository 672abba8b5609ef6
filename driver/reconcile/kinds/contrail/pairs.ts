import type { PairChange, PairMode } from '../../../clouds/contrail/port';
import { forgetWiring, recordWiring } from '../../../db/wiring';
import { NotFoundError } from '../../../domain/errors';
import { type ContrailClouds, type ContrailTarget, isOffNetwork, isRouted, servedBy } from '../../contrailTarget';
import type { Kind } from '../../kind';

/** That an engine may answer for a VIP on its own port, with the others or in their stead. */
export interface EnginePair {
  readonly loadBalancerId: string;
  readonly engineId: string;
  readonly portId: string;
  readonly address: string;
  /** Null: the port has no such pair. */
  readonly mode: PairMode | null;
}

/**
 * Lets the engines answer for the VIPs. Only pairs that were recorded are looked at: of others nothing is known to be
 * there, and what is to be put is read before it is written in any case. The mode is part of it, because every change of a
 * port's pairs by Neutron takes it back to that of a single engine.
 */
export const contrailPairs: Kind<EnginePair, ContrailTarget, ContrailClouds> = {
  name: 'address-pair',
  key: ({ portId, address }) => `${portId} ${address}`,
  desired: (target) =>
    target.mode !== 'aap' || isOffNetwork(target.tree)
      ? []
      : servedBy(target)
          .filter(({ vip }) => !isRouted(vip, target.tree))
          .map(({ port: { engineId, portId }, vip: { address } }) => ({
            ...{ loadBalancerId: target.tree.id, engineId, portId, address },
            mode: target.pairMode,
          })),
  observed: observePairs,
  same: (want, have) => want.mode === have.mode,
  put: (want, clouds) => putPairs([want], clouds),
  remove: (item, clouds) => removePairs([item], clouds),
  together: {
    put: (wanted, clouds) =>
      putPairs(
        wanted.map(({ item }) => item),
        clouds,
      ),
    remove: removePairs,
  },
};

async function observePairs(
  { tree, recorded }: ContrailTarget,
  { contrail }: ContrailClouds,
): Promise<readonly EnginePair[]> {
  const known = recorded.flatMap(({ engineId, portId, address, mode }) =>
    portId === null || mode !== 'aap' ? [] : [{ loadBalancerId: tree.id, engineId, portId, address }],
  );
  // All go, whatever is there of them.
  if (tree.deleting) return known.map((it) => ({ ...it, mode: null }));
  const ports = await contrail.listInterfaces(known.map(({ portId }) => portId));
  return known.map((it) => {
    const pairs = ports.find(({ id }) => id === it.portId)?.pairs ?? [];
    return { ...it, mode: pairs.find(({ address }) => address === it.address)?.mode ?? null };
  });
}

async function putPairs(wanted: readonly EnginePair[], clouds: ContrailClouds): Promise<void> {
  for (const { loadBalancerId, engineId, portId, address } of wanted) {
    await recordWiring(clouds.db, { loadBalancerId, engineId, portId, address, mode: 'aap' });
  }
  const missing = await change(wanted, clouds, (pairs) => ({
    put: pairs.flatMap(({ address, mode }) => (mode === null ? [] : [{ address, mode }])),
    remove: [],
  }));
  const [lost] = missing;
  if (lost !== undefined) throw new NotFoundError('Port', lost);
}

async function removePairs(items: readonly EnginePair[], clouds: ContrailClouds): Promise<void> {
  await change(items, clouds, (pairs) => ({ put: [], remove: pairs.map(({ address }) => address) }));
  for (const { loadBalancerId, engineId, portId, address } of items) {
    await forgetWiring(clouds.db, { loadBalancerId, engineId, portId, address, mode: 'aap' });
  }
}

async function change(
  wanted: readonly EnginePair[],
  { pairs }: ContrailClouds,
  how: (pairsOfPort: readonly EnginePair[]) => Omit<PairChange, 'portId'>,
): Promise<readonly string[]> {
  const portIds = [...new Set(wanted.map(({ portId }) => portId))];
  return pairs.change(portIds.map((portId) => ({ portId, ...how(wanted.filter((it) => it.portId === portId)) })));
}
