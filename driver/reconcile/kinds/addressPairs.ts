import type { AddressPair } from '../../clouds/network/port';
import { forgetWiring, recordWiring } from '../../db/wiring';
import { NotFoundError, PassedThroughError, UnavailableError } from '../../domain/errors';
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
  desired: ({ tree, ports, vips }) =>
    ports.flatMap(({ engineId, portId, networkId }) =>
      portId === null || tree.vipWithdrawn
        ? []
        : vips
            .filter((vip) => vip.networkId === networkId)
            .map(({ address }) => ({
              ...{ loadBalancerId: tree.id, engineId, portId, address },
              paired: true,
              recorded: true,
            })),
    ),
  observed: observeAddresses,
  same: (_want, have) => have.paired && have.recorded,
  async put(want, { network, db, alone }) {
    const { loadBalancerId, engineId, portId, address } = want;
    await recordWiring(db, { loadBalancerId, engineId, portId, address, mode: 'aap' });
    const found = await alone(portId, () =>
      changePairs(network, portId, (pairs) =>
        pairs.some((pair) => isPairOf(pair, address)) ? pairs : [...pairs, { ipAddress: address }],
      ),
    );
    if (!found) throw new NotFoundError('Port', portId);
  },
  async remove(item, { network, db, alone }) {
    const { loadBalancerId, engineId, portId, address } = item;
    await alone(portId, () =>
      changePairs(network, portId, (pairs) => pairs.filter((pair) => !isPairOf(pair, address))),
    );
    await forgetWiring(db, { loadBalancerId, engineId, portId, address, mode: 'aap' });
  },
};

/** Times a change is begun anew because another process was faster; each time somebody has got on. */
const TRIES = 20;

/**
 * A port's pairs are read, changed and written whole. Other workers change those of other load balancers on the same port:
 * what is written is refused unless the port is still as it was read, and read again, since Neutron lets through two changes
 * of the same moment. False: the port is gone.
 */
async function changePairs(
  network: WiringClouds['network'],
  portId: string,
  change: (pairs: readonly AddressPair[]) => readonly AddressPair[],
): Promise<boolean> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const port = await network.findPort(portId);
    if (!port) return false;
    const pairs = change(port.allowedAddressPairs);
    if (pairs.length === port.allowedAddressPairs.length) return true;
    try {
      await network.updatePort(portId, { allowedAddressPairs: pairs }, { ifRevision: port.revision });
    } catch (error) {
      const overtaken = error instanceof PassedThroughError && error.status === OVERTAKEN;
      if (!overtaken) throw error;
    }
  }
  throw new UnavailableError(`the address pairs of port ${portId} change all the time`);
}

/** 412: the port is another revision by now. */
const OVERTAKEN = 412;

/** What is on the ports that are to have a pair and on those that were given one. */
async function observeAddresses(target: WiringTarget, clouds: WiringClouds): Promise<readonly EngineAddress[]> {
  const { tree, ports, vips, recorded } = target;
  const engineOf = new Map<string, string>();
  for (const { engineId, portId } of [...recorded, ...ports]) if (portId !== null) engineOf.set(portId, engineId);
  const addresses = new Set([...vips, ...recorded].map(({ address }) => address));
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
