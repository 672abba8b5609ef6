import { listBgpStates } from '../db/bgpServices';
import { recordEvents } from '../db/events';
import type { Group } from '../db/groups';
import { chooseVipMode, listHosts } from '../db/vipModes';
import { type EnginePort, listWiring, type WiringRecord } from '../db/wiring';
import { isInReach, serves } from '../domain/answers';
import { PassedThroughError } from '../domain/errors';
import { isWork, type LoadBalancerTree, type Placement } from '../domain/tree';
import {
  type ContrailClouds,
  type ContrailParts,
  type ContrailTarget,
  isOffNetwork,
  type WiredPort,
} from './contrailTarget';
import { runStages, type Stage, stageOf } from './kind';
import { announcements } from './kinds/contrail/announcements';
import { allocatedIp } from './kinds/contrail/floatingIp';
import { floatingIpLinks } from './kinds/contrail/floatingIpLinks';
import { contrailPairs } from './kinds/contrail/pairs';
import { routeLinks } from './kinds/contrail/routeTable';
import { hintEngineUnits, type LoadBalancerParts, type Run } from './loadBalancerRun';
import type { Placing } from './placing';
import { vipModeOf } from './vipMode';
import type { Needs } from './vnicNeeds';

/** In this order they are made; an engine goes out in the reverse one, which harms nobody. */
const STAGES: readonly Stage<ContrailTarget, ContrailClouds>[] = [
  stageOf(contrailPairs),
  stageOf(routeLinks),
  stageOf(announcements),
  stageOf(allocatedIp),
  stageOf(floatingIpLinks),
];

/** Chooses how the VIPs are wired, once: what the configuration says later is for others. */
export async function keepVipMode({ parts, tree }: Run, { vip }: Placing): Promise<void> {
  if (!parts.contrail || tree.vipMode !== null) return;
  await chooseVipMode(parts.db, tree.id, vipModeOf(parts.contrail, tree, vip));
}

/**
 * All that serve answer for the VIPs, less those that are being replaced; a silent one only while there is no other,
 * its neighbours hear it, or all of a group is to stay as it is; one that is cut from the network only while there is no other.
 */
export function servingEngines(
  tree: Pick<LoadBalancerTree, 'placements' | 'masterTerm'>,
  dropped: readonly Placement[],
  { holdsStill = false }: Pick<Group, 'holdsStill'> = {},
): string[] {
  const serving = tree.placements.filter((it) => serves(it) && !dropped.includes(it));
  // Of a pair the announcement decides, also when it is made while nobody here hears of it.
  const isPair = (tree.masterTerm ?? null) !== null;
  if (holdsStill || isPair) return serving.map(({ engineId }) => engineId);
  const fresh = serving.filter(isInReach);
  return (fresh.length > 0 ? fresh : serving).map(({ engineId }) => engineId);
}

export interface ContrailWish {
  readonly contrail: ContrailParts;
  readonly placing: Placing;
  readonly needs: Needs;
  /** Of the engines that are to answer. */
  readonly ports: readonly EnginePort[];
  /** Engines that still do although they leave: nothing waits for them. */
  readonly leaving: readonly string[];
  readonly recorded: readonly WiringRecord[];
}

/**
 * Wires the VIPs to the engines. Why that is not possible yet, or nothing.
 * @throws PassedThroughError for what cannot be had
 */
export async function wireContrail(run: Run, wish: ContrailWish): Promise<string | undefined> {
  const { parts, tree, before } = run;
  const { contrail, placing, needs, recorded } = wish;
  const mode = vipModeOf(contrail, tree, placing.vip);
  const ports = wish.ports.flatMap((it): WiredPort[] => (it.portId === null ? [] : [{ ...it, portId: it.portId }]));
  if (mode === 'bgp') {
    const staying = ports.filter(({ engineId }) => !wish.leaving.includes(engineId));
    const awaited = await awaitSessions(
      run,
      staying.filter(({ networkId }) => answersIn(needs, networkId)),
    );
    if (awaited !== undefined) return awaited;
    await tellSharedHosts(run, staying);
  }
  const { floatingNetwork, floatingSubnet } = placing.vip;
  const target: ContrailTarget = {
    ...{ tree, mode, ports, vips: needs.vips, recorded },
    pairMode: placing.service.haMode === 'active_standby' ? 'active-standby' : 'active-active',
    floating: floatingNetwork === null ? null : { networkId: floatingNetwork, subnetId: floatingSubnet },
    notes: { floatingIps: [] },
  };
  const digest = JSON.stringify([
    tree.generation,
    isOffNetwork(tree),
    mode,
    target.pairMode,
    ports,
    needs.vips,
    target.floating,
  ]);
  if (isFresh(contrail, tree, digest)) return undefined;
  await runStages(STAGES, { target, clouds: cloudsOf(parts, contrail), before });
  noteSeen(contrail, tree.id, digest);
  return undefined;
}

/** Milliseconds for which what was seen to be as wanted is believed: each engine that confirms a change has it looked at. */
const BELIEVED = 2_000;
/** Load balancers that are remembered: a few MB. */
const REMEMBERED = 10_000;

function isFresh({ seenWiring, believed = BELIEVED }: ContrailParts, tree: LoadBalancerTree, digest: string): boolean {
  const seen = seenWiring.get(tree.id);
  return !isWork(tree) && seen?.digest === digest && performance.now() - seen.at < believed;
}

function noteSeen({ seenWiring }: ContrailParts, id: string, digest: string): void {
  seenWiring.delete(id);
  seenWiring.set(id, { digest, at: performance.now() });
  if (seenWiring.size > REMEMBERED) seenWiring.delete(seenWiring.keys().next().value ?? '');
}

/** Takes a load balancer's wiring away: floating IPs first. */
export async function unwireContrail(run: Run, contrail: ContrailParts): Promise<void> {
  const { parts, tree, before } = run;
  const recorded = await listWiring(parts.db, tree.id);
  if (recorded.length === 0 && tree.floatingIpId === null) return;
  const target: ContrailTarget = {
    ...{ tree, ports: [], vips: [], recorded, floating: null },
    mode: tree.vipMode ?? 'aap',
    pairMode: 'active-active',
    notes: { floatingIps: [] },
  };
  await runStages(STAGES, { target, clouds: cloudsOf(parts, contrail), before });
}

function cloudsOf({ network, db }: LoadBalancerParts, { driver, pairs }: ContrailParts): ContrailClouds {
  return { contrail: driver, network, db, pairs };
}

function answersIn({ vips }: Needs, networkId: string): boolean {
  return vips.some((vip) => vip.networkId === networkId);
}

/** Engines join the service of BGP in runs of their own. Those that cannot, while others can, are told of there. */
async function awaitSessions(run: Run, ports: readonly WiredPort[]): Promise<string | undefined> {
  const states = await listBgpStates(
    run.parts.db,
    ports.map(({ portId }) => portId),
  );
  const lacking = ports.filter(({ portId }) => !states.get(portId)?.joined);
  if (lacking.length === 0) return undefined;
  const troubles = lacking.flatMap(({ portId }) => states.get(portId)?.trouble ?? []);
  if (troubles.length < lacking.length || lacking.length === ports.length) {
    await hintEngineUnits(run, new Set(lacking.map(({ engineId }) => engineId)));
  }
  const [trouble] = troubles;
  if (trouble !== undefined && lacking.length === ports.length && isWork(run.tree))
    throw new PassedThroughError(409, trouble);
  if (troubles.length === lacking.length && lacking.length < ports.length) return undefined;
  const [first] = lacking;
  return trouble ?? `engine ${first?.engineId} is not in the BGP service of network ${first?.networkId} yet`;
}

/** Contrail takes all announcements of one compute for one route: of engines there only one gets traffic. */
async function tellSharedHosts({ parts, tree }: Run, ports: readonly WiredPort[]): Promise<void> {
  if (!isWork(tree)) return;
  const hosts = await listHosts(parts.db, [...new Set(ports.map(({ engineId }) => engineId))]);
  const shared = hosts.filter(({ host }, index) => hosts.findIndex((it) => it.host === host) < index);
  const [one] = shared;
  if (!one) return;
  const names = hosts.filter(({ host }) => host === one.host).map(({ engineName }) => engineName);
  const message = `engines ${names.join(' and ')} announce VIPs of load balancer ${tree.id} from one host, ${one.host}: only one of them gets traffic`;
  await recordEvents(
    parts.db,
    [{ name: 'BGP_HOST_SHARED', severity: 'warning', message, resourceType: 'load_balancer', resourceId: tree.id }],
    {
      projectId: tree.projectId,
      loadBalancerId: tree.id,
    },
  );
}
