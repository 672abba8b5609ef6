import type { Fabric } from '../fabric';
import { type Instance, isV6, type Place, type Tap, tapOf } from '../plan';
import { LOCAL_TABLE } from '../render';
import type { ConfigurationStore } from '../view';
import { readRoute, readTranslations } from './kernel';

/** A fabric as its agents and control-nodes know it. */
export interface World {
  readonly fabric: Fabric;
  /** Of a host, in the underlay: where its agent is asked, and where tunnels end. */
  addressOf(place: Place): string;
  /** Of an object, joined by `:`. */
  nameOf(type: string, id: string): string;
  /** The routing instance of a network: its own name with the last part twice. */
  instanceOf(networkId: string): string;
  instances(place?: Place): readonly Instance[];
  taps(place: Place): readonly { readonly tap: Tap; readonly instance: Instance }[];
  /** Labels, indices: the same for the same thing, from `first` on, for each of them and place. */
  numberOf(kind: 'label' | 'next hop' | 'flow key' | 'vrf', place: Place, thing: string): number;
}

const FIRST = { label: 16, 'next hop': 20, 'flow key': 10, vrf: 1 } as const;

export function seeWorld(fabric: Fabric, store: ConfigurationStore, addressOf: World['addressOf']): World {
  const numbers = new Map<string, Map<string, number>>();
  const named = (type: string) => store.list(type) as readonly { uuid: string; fq_name: string[] }[];
  const nameOf = (type: string, id: string) =>
    named(type)
      .find(({ uuid }) => uuid === id)
      ?.fq_name.join(':') ?? id;
  const instances: World['instances'] = (place) =>
    fabric.inside.plan().instances.filter((one) => place === undefined || one.place === place);
  return {
    ...{ fabric, addressOf, nameOf, instances },
    instanceOf(networkId) {
      const name = nameOf('virtual-network', networkId);
      return `${name}:${name.split(':').at(-1)}`;
    },
    taps: (place) => instances(place).flatMap((instance) => instance.taps.map((tap) => ({ tap, instance }))),
    numberOf(kind, place, thing) {
      const known = numbers.get(`${kind} ${place}`) ?? new Map<string, number>();
      numbers.set(`${kind} ${place}`, known);
      const number = known.get(thing) ?? FIRST[kind] + known.size;
      known.set(thing, number);
      return number;
    },
  };
}

/** The taps of a host that a prefix leads to, from the routes that what comes out of a tunnel takes. */
export async function localTaps(world: World, place: Place, networkId: string, prefix: string): Promise<string[]> {
  const { fabric } = world;
  const namespace = fabric.namespaceOf(place, networkId);
  const devices = await readRoute(namespace, prefix, LOCAL_TABLE);
  const all = await Promise.all(devices.map((device) => tapsBehind(world, { place, device, prefix })));
  return all.flat();
}

/** A floating IP's way leads into the instance of the engines' network, where it is translated. */
export async function tapsBehind(
  { fabric, instances }: World,
  { place, device, prefix }: { readonly place: Place; readonly device: string; readonly prefix: string },
): Promise<string[]> {
  if (!device.startsWith('y')) return [device];
  const inner = instances(place).find(({ networkId }) => networkId.replaceAll('-', '').startsWith(device.slice(1)));
  if (!inner) return [];
  const [address = ''] = prefix.split('/');
  const found = await readTranslations(fabric.namespaceOf(place, inner.networkId), address);
  return found.flatMap(({ mark }) => fabric.inside.deviceOf(place, inner.networkId, mark) ?? []);
}

/** What others send a prefix's packets to a host with: that of its only interface, or of all that share it. */
export function labelOf({ numberOf }: World, place: Place, taps: readonly string[]): number {
  return numberOf('label', place, [...taps].sort().join(' '));
}

/** A prefix that control-nodes know by BGP alone. */
export function isAnnounced({ fabric, taps }: World, place: Place, tap: string, prefix: string): boolean {
  const found = taps(place).find(({ tap: one }) => one.device === tap)?.tap.interface;
  if (!found) return false;
  const own = found.prefixes.some((one) => one.prefix === prefix);
  return !own && fabric.controlNodes.announcedBy(found.id).includes(prefix);
}

export const interfaceOf = ({ taps }: World, place: Place, device: string) =>
  taps(place).find(({ tap }) => tap.device === device || tapOf(tap.interface.id) === device)?.tap.interface;

/** The address that goes with a prefix's family. */
export const ofFamily = (addresses: readonly string[], prefix: string): string =>
  addresses.find((one) => isV6(one) === isV6(prefix)) ?? '';
