import type { VnicSpec } from '../../protocol/engineSpec';
import { changeLink, type Link, readLinks } from './ip';
import { takeBack } from './namespace';
import { interfaceName } from './wanted';

/**
 * Moves interfaces to where they belong: each wanted one into the namespace, found by its MAC where the agent is or in
 * one of `others`; whatever else is in the namespace back to the agent's.
 */
export async function gather(namespace: string, vnics: readonly VnicSpec[], others: readonly string[]): Promise<void> {
  const inside = (await readLinks(namespace)).filter(isPluggable);
  const wanted = new Map(vnics.map((vnic) => [vnic.macAddress, vnic]));
  const strangers = inside.filter(({ address = '' }) => !wanted.has(address));
  for (const { ifname } of strangers) await takeBack(namespace, ifname);
  const present = new Set(inside.map(({ address }) => address));
  let missing = vnics.filter(({ macAddress }) => !present.has(macAddress));
  for (const place of missing.length === 0 ? [] : [null, ...others]) {
    missing = await bring(missing, place, namespace);
    if (missing.length === 0) break;
  }
  await rename(namespace, wanted);
}

/** Moves those that are in the place; gives the others. */
async function bring(missing: readonly VnicSpec[], from: string | null, to: string): Promise<VnicSpec[]> {
  const links = (await readLinks(from).catch(() => [])).filter(isPluggable);
  const left: VnicSpec[] = [];
  for (const vnic of missing) {
    const link = links.find(({ address }) => address === vnic.macAddress);
    if (link === undefined) {
      left.push(vnic);
      continue;
    }
    // Down, so that it may be named anew; it would be down afterwards anyhow.
    await changeLink(from, 'link', 'set', 'dev', link.ifname, 'down');
    await changeLink(from, 'link', 'set', 'dev', link.ifname, 'netns', to, 'name', interfaceName(vnic));
  }
  return left;
}

/** One that was plugged into the namespace itself, by a host that could, has a name of its own. */
async function rename(namespace: string, wanted: ReadonlyMap<string, VnicSpec>): Promise<void> {
  for (const { ifname, address = '' } of (await readLinks(namespace)).filter(isPluggable)) {
    const vnic = wanted.get(address);
    if (vnic === undefined || ifname === interfaceName(vnic)) continue;
    await changeLink(namespace, 'link', 'set', 'dev', ifname, 'down');
    await changeLink(namespace, 'link', 'set', 'dev', ifname, 'name', interfaceName(vnic));
  }
}

function isPluggable({ link_type }: Link): boolean {
  return link_type === 'ether';
}
