import type { ContrailDriver } from '../../clouds/contrail/port';
import type { NetworkDriver, Port } from '../../clouds/network/port';
import { listBgpSessions } from '../../db/bgpSessions';
import { toDbTime } from '../../db/codecs';
import type { Db } from '../../db/connect';
import { findGroupFor } from '../../db/groups';
import { readBgpServices, readGhosts, readLatestEvents, readPlacedEngines, readVnicsOf } from '../../db/traceRows';
import { loadTree } from '../../db/tree';
import { listWiring } from '../../db/wiring';
import type { Survey } from '../../domain/survey';
import { type LoadBalancerTree, vipAddresses } from '../../domain/tree';
import type { ControlNodeFacts, FlowSeen, Read, TraceFacts, VnicRow, VRouterFacts, WiringSettings } from '../facts';
import type { Flow } from '../flow';
import { type EngineDeps, inspectEngines } from './engines';
import { attempt } from './read';

export interface TraceDeps extends EngineDeps {
  readonly network: NetworkDriver;
  /** Undefined where VIPs are not wired there. */
  readonly contrail?: Pick<ContrailDriver, 'survey'> | undefined;
  /** Undefined where control-nodes and vRouters are not asked. */
  readonly introspect?: Introspection | undefined;
  readonly settings: TraceSettings;
}

export interface TraceSettings extends WiringSettings {
  readonly networkDriver: string;
}

/** What control-nodes and vRouters are asked. Never throws. */
export interface Introspection {
  look(scene: Scene): Promise<Seen>;
}

/** What leads to where they are, and what is looked for. */
export interface Scene {
  readonly tree: LoadBalancerTree;
  readonly vnics: readonly VnicRow[];
  readonly survey: Survey;
  readonly flow?: Flow | undefined;
}

export interface Seen {
  readonly controlNodes: readonly ControlNodeFacts[];
  readonly vRouters: readonly VRouterFacts[];
  readonly flow?: Read<FlowSeen> | undefined;
  readonly analytics?: TraceFacts['analytics'];
  readonly transformer?: TraceFacts['transformer'];
}

const EVENTS = 8;
/** Milliseconds that a ghost is remembered: it is replaced at once, and what made it one is still there. */
const GHOSTS_FOR = 3_600_000;
/** Milliseconds: a cloud of thousands of ports is read. */
const SURVEY = 10_000;

/**
 * Follows a load balancer. Undefined for one that is not there. What cannot be read is in the facts as such.
 * @param flow that is looked for, too
 */
export async function collectFacts(
  deps: TraceDeps,
  loadBalancerId: string,
  flow?: Flow,
): Promise<TraceFacts | undefined> {
  const { db } = deps;
  const tree = await loadTree(db, loadBalancerId);
  if (!tree) return undefined;
  const rows = await readRows(db, tree);
  const { engines, vnics } = rows;
  const [ports, found, inspections] = await Promise.all([
    readPorts(deps, tree, vnics),
    lookInContrail(deps, { tree, vnics, flow }),
    inspectEngines(deps, tree.id, engines),
  ]);
  const { healthCheck, managementNetworkIds, networkDriver } = deps.settings;
  return {
    ...{ ...rows, tree, ports, inspections, networkDriver },
    ...found,
    wanted: { healthCheck, managementNetworkIds },
  };
}

async function readRows(db: Db, tree: LoadBalancerTree) {
  const engines = await readPlacedEngines(db, tree.id);
  const engineIds = engines.map(({ id }) => id);
  const vnics = await readVnicsOf(db, engineIds, tree.vip.networkId);
  const sessions = await Promise.all(engineIds.map((id) => listBgpSessions(db, id)));
  const group = (await findGroupFor(db, tree))?.group;
  return {
    ...{ engines, vnics },
    group: group ? { id: group.id, name: group.name, haMode: group.properties.haMode } : null,
    wiring: await listWiring(db, tree.id),
    sessions: sessions.flat().filter(({ domainId }) => domainId === tree.vip.networkId),
    bgpServices: await readBgpServices(
      db,
      vnics.flatMap(({ bgpServiceId }) => bgpServiceId ?? []),
    ),
    ghosts: await readGhosts(db, group?.id ?? null, toDbTime(new Date(Date.now() - GHOSTS_FOR))),
    events: await readLatestEvents(db, { loadBalancerId: tree.id, engineIds }, EVENTS),
  };
}

function vipPorts({ vip, additionalVips }: LoadBalancerTree): string[] {
  return [...new Set([vip, ...additionalVips].flatMap(({ portId }) => portId ?? []))];
}

function enginePorts(vnics: readonly VnicRow[]): string[] {
  return vnics.flatMap(({ portId, deleting }) => (portId === null || deleting ? [] : [portId]));
}

function readPorts(
  { network, settings }: TraceDeps,
  tree: LoadBalancerTree,
  vnics: readonly VnicRow[],
): Promise<Read<readonly Port[]>> {
  const at = settings.networkDriver === 'local' ? 'the embedded Neutron' : 'Neutron';
  return attempt(at, async () => {
    const found = await Promise.all([...vipPorts(tree), ...enginePorts(vnics)].map((id) => network.findPort(id)));
    return found.flatMap((port) => port ?? []);
  });
}

async function lookInContrail(
  { contrail, introspect, settings }: TraceDeps,
  { tree, vnics, flow }: Omit<Scene, 'survey'>,
): Promise<Pick<TraceFacts, 'survey' | keyof Seen>> {
  if (!contrail) return { survey: undefined, controlNodes: [], vRouters: [] };
  const networks = [tree.vip, ...tree.additionalVips, ...vnics].flatMap(({ networkId }) => networkId ?? []);
  const asked = {
    portIds: [...vipPorts(tree), ...enginePorts(vnics)],
    networkIds: [...new Set([...networks, ...settings.managementNetworkIds])],
    bgpServiceIds: vnics.flatMap(({ bgpServiceId }) => bgpServiceId ?? []),
    floatingIpIds: tree.floatingIpId === null ? [] : [tree.floatingIpId],
    addresses: vipAddresses(tree),
    ...(flow && { clients: [flow.source] }),
  };
  const survey = await attempt('VNC (Contrail configuration API)', () => contrail.survey(asked), SURVEY);
  if (!introspect || 'problem' in survey) return { survey, controlNodes: [], vRouters: [] };
  return { survey, ...(await introspect.look({ tree, vnics, flow, survey: survey.value })) };
}
