import type { AddressPair } from '../../clouds/network/port';
import { forgetWiring, recordWiring } from '../../db/wiring';
import { vipAddresses } from '../../domain/tree';
import type { Kind } from '../kind';
import type { WiringClouds, WiringTarget } from '../wiringTarget';

/** That an engine may answer for a VIP on its own port. */
export interface EngineAddress {
  readonly loadBalancerId: string;
  readonly engineId: string;
  readonly portId: string;
  readonly address: string;
  /** The network service knows of it. */
  readonly paired: boolean;
  /** Our row says that it was told. */
  readonly recorded: boolean;
}

/** Lets the engines that serve a load balancer answer for its VIPs, and nobody who has ceased to. */
export const addressPairs: Kind<EngineAddress, WiringTarget, WiringClouds> = {
  name: 'address-pair',
  key: ({ portId, address }) => `${portId} ${address}`,
  desired: ({ tree, ports }) =>
    ports.flatMap(({ engineId, portId }) =>
      portId === null
        ? []
        : vipAddresses(tree).map((address) => {
            return { loadBalancerId: tree.id, engineId, portId, address, paired: true, recorded: true };
          }),
    ),
  observed: observeAddresses,
  same: (_want, have) => have.paired && have.recorded,
  async put(want, { network, db, alone }) {
    const { loadBalancerId, engineId, portId, address } = want;
    await recordWiring(db, { loadBalancerId, engineId, portId, address, mode: 'aap' });
    await alone(portId, async () => {
      const pairs = (await network.findPort(portId))?.allowedAddressPairs ?? [];
      if (pairs.some((pair) => isPairOf(pair, address))) return;
      await network.updatePort(portId, { allowedAddressPairs: [...pairs, { ipAddress: address }] });
    });
  },
  async remove(item, { network, db, alone }) {
    const { loadBalancerId, engineId, portId, address } = item;
    await alone(portId, async () => {
      const pairs = (await network.findPort(portId))?.allowedAddressPairs ?? [];
      const kept = pairs.filter((pair) => !isPairOf(pair, address));
      if (kept.length < pairs.length) await network.updatePort(portId, { allowedAddressPairs: kept });
    });
    await forgetWiring(db, { loadBalancerId, engineId, portId, address, mode: 'aap' });
  },
};

/** What is on the ports that are to have a pair and on those that were given one. */
async function observeAddresses(target: WiringTarget, clouds: WiringClouds): Promise<readonly EngineAddress[]> {
  const { tree, ports, recorded } = target;
  const engineOf = new Map<string, string>();
  for (const { engineId, portId } of [...recorded, ...ports]) if (portId !== null) engineOf.set(portId, engineId);
  const addresses = new Set([...vipAddresses(tree), ...recorded.map(({ address }) => address)]);
  const seen = await Promise.all(
    [...engineOf].map(async ([portId, engineId]) => {
      const pairs = (await clouds.network.findPort(portId))?.allowedAddressPairs ?? [];
      return [...addresses].map((address) => ({
        loadBalancerId: tree.id,
        engineId,
        portId,
        address,
        paired: pairs.some((pair) => isPairOf(pair, address)),
        recorded: recorded.some((it) => it.portId === portId && it.address === address),
      }));
    }),
  );
  return seen.flat().filter(({ paired, recorded }) => paired || recorded);
}

/** The service shows an address as it was given: alone or with its full prefix. */
function isPairOf({ ipAddress }: AddressPair, address: string): boolean {
  return ipAddress === address || ipAddress === `${address}/32` || ipAddress === `${address}/128`;
}
