import { listLingering } from '../db/drains';
import { forgetWiring, listWiring, type WiringRecord } from '../db/wiring';
import { isLive } from '../domain/answers';
import type { Placement } from '../domain/tree';
import { type ContrailParts, vipPortIds } from './contrailTarget';
import { mayDrain } from './draining';
import type { Run } from './loadBalancerRun';
import type { Placing } from './placing';

/**
 * Engines on their way off a load balancer whose VIPs several engines answer for at a time. A vRouter moves the flows of
 * an engine that loses its pair, or its route, to the others at once, in the middle of what they carry, and drops what that
 * engine still answers. So these go last: the engine serves on while it drains, then lets nobody new in, ends what is under
 * way and forgets the load balancer, its route included; whoever asked meanwhile asks again and finds another engine.
 */

/** Seconds an engine may take to forget it before its wiring goes all the same. */
const PATIENCE = 10;

export interface Leaving {
  readonly placing: Placing;
  readonly drop: readonly Placement[];
  readonly recorded: readonly WiringRecord[];
}

/** Those that go on answering for the VIPs although they leave. */
export async function listLeaving({ parts, tree }: Run, leaving: Leaving): Promise<readonly string[]> {
  const { placing, drop, recorded } = leaving;
  if (placing.service.haMode === 'active_standby') return [];
  const wired = tree.placements.filter((it) => isLive(it) && recorded.some((one) => isOf(it.engineId, one)));
  const forgetting = wired.filter(({ deleting, draining }) => deleting && draining);
  const inTime = forgetting.length === 0 ? [] : await listLingering(parts.db, tree.id, PATIENCE);
  const staying = wired.filter((it) =>
    it.deleting ? inTime.includes(it.id) : drop.includes(it) && mayDrain(tree, it, placing.group),
  );
  return staying.map(({ engineId }) => engineId);
}

function isOf(id: string, { engineId, mode }: WiringRecord): boolean {
  return engineId === id && (mode === 'aap' || mode === 'bgp');
}

/** Takes the wiring of engines away that have forgotten the load balancer, whatever those say that are to serve it. */
export async function unwireGone(run: Run, { driver, pairs }: ContrailParts): Promise<void> {
  const { parts, tree, before } = run;
  const isHere = (engineId: string): boolean => tree.placements.some((it) => it.engineId === engineId);
  const gone = (await listWiring(parts.db, tree.id)).flatMap((it) =>
    (it.mode === 'aap' || it.mode === 'bgp') && it.portId !== null && !isHere(it.engineId)
      ? [{ ...it, portId: it.portId }]
      : [],
  );
  if (gone.length === 0) return;
  await before('wiring: of engines that are gone');
  const portIds = [...new Set(gone.map(({ portId }) => portId))];
  for (const floatingIp of await driver.listFloatingIps(vipPortIds(tree))) {
    for (const portId of portIds.filter((it) => floatingIp.portIds.includes(it)))
      await driver.unlinkFloatingIp(floatingIp.id, portId);
  }
  const paired = gone.filter(({ mode }) => mode === 'aap');
  const addressesOn = (portId: string): string[] =>
    paired.filter((it) => it.portId === portId).map(({ address }) => address);
  const pairedOn = [...new Set(paired.map(({ portId }) => portId))];
  await pairs.change(pairedOn.map((portId) => ({ portId, put: [], remove: addressesOn(portId) })));
  for (const record of gone) await forgetWiring(parts.db, record);
}
