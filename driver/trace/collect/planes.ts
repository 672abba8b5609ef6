import type { FlowKey, Introspector } from '../../domain/introspect';
import type { Survey, SurveyedHost, SurveyedNetwork } from '../../domain/survey';
import type { ControlNodeFacts, FlowSeen, Read, VnicRow, VRouterFacts } from '../facts';
import { vipFor } from '../flow';
import { floatingIpsOf, hostPrefix, vipsOf } from '../lookup';
import type { Introspection, Scene } from './collect';
import { attempt } from './read';

export interface PlanesDeps {
  readonly introspector: Introspector;
  /** Control-nodes' addresses, in place of those of Contrail's configuration; empty: those. */
  readonly controlNodes: readonly string[];
  /** Milliseconds for all that one of them is asked. */
  readonly patience: number;
}

/** vRouters that are asked, of those where engines are. */
const MOST_HOSTS = 16;

/** Asks control-nodes and the vRouters of the engines' hosts, all at the same time. */
export function createIntrospection(deps: PlanesDeps): Introspection {
  return {
    async look(scene) {
      const wanted = routesWanted(scene);
      const [controlNodes, vRouters, flow] = await Promise.all([
        Promise.all(nodesOf(deps, scene.survey).map((node) => askControlNode(deps, node, { scene, wanted }))),
        Promise.all(hostsOf(scene).map((host) => askVRouter(deps, host, { scene, wanted }))),
        askFlow(deps, scene),
      ]);
      return { controlNodes, vRouters, flow };
    },
  };
}

interface WantedRoute {
  /** Of the routing instance: the network's own. */
  readonly instance: string;
  readonly prefix: string;
}

interface Asked {
  readonly scene: Scene;
  readonly wanted: readonly WantedRoute[];
}

function routesWanted({ tree, survey }: Scene): WantedRoute[] {
  const addresses = [
    ...vipsOf(tree),
    ...floatingIpsOf({ tree, survey: { at: '', value: survey } }).map(({ address, networkId }) => ({
      address: address ?? '',
      networkId,
    })),
  ];
  return addresses.flatMap(({ address, networkId }) => {
    const network = survey.networks.find(({ id }) => id === networkId);
    return !network || address === '' ? [] : [{ instance: instanceOf(network), prefix: hostPrefix(address) }];
  });
}

/** The instance of a network bears its name twice. */
function instanceOf({ fqName }: SurveyedNetwork): string {
  return `${fqName}:${fqName.split(':').at(-1)}`;
}

function nodesOf({ controlNodes }: PlanesDeps, survey: Survey): readonly SurveyedHost[] {
  return controlNodes.length > 0 ? controlNodes.map((address) => ({ name: address, address })) : survey.controlNodes;
}

/** Hosts with an engine's port. */
function hostsOf({ survey, vnics }: Scene): readonly SurveyedHost[] {
  const ports = new Set(vnics.flatMap(({ portId }) => portId ?? []));
  const names = new Set(survey.ports.filter(({ id }) => ports.has(id)).flatMap(({ host }) => host ?? []));
  return survey.vRouters.filter(({ name }) => names.has(name)).slice(0, MOST_HOSTS);
}

async function askControlNode(
  { introspector, patience }: PlanesDeps,
  { name, address }: SurveyedHost,
  { scene, wanted }: Asked,
): Promise<ControlNodeFacts> {
  const at = `control-node ${name}, introspect of ${address}`;
  const ports = scene.survey.ports.filter(({ bgpRouters }) => bgpRouters.length > 0);
  const [routes, peers] = await Promise.all([
    attempt(at, () => Promise.all(wanted.map((route) => introspector.controlRoute(address, route))), patience),
    attempt(
      at,
      async () => (await Promise.all(ports.map((port) => introspector.controlPeers(address, port.name)))).flat(),
      patience,
    ),
  ]);
  return { name, address, routes, peers };
}

async function askVRouter(
  { introspector, patience }: PlanesDeps,
  { name, address }: SurveyedHost,
  { scene, wanted }: Asked,
): Promise<VRouterFacts> {
  const at = `vRouter of ${name}, introspect of ${address}`;
  const own = scene.survey.ports.filter(({ id, host }) => host === name && isEngines(scene.vnics, id));
  const [interfaces, routes] = await Promise.all([
    attempt(at, async () => present(await all(own, ({ id }) => introspector.vRouterInterface(address, id))), patience),
    attempt(at, async () => present(await all(wanted, (route) => introspector.vRouterRoute(address, route))), patience),
  ]);
  return { host: name, address, interfaces, routes };
}

/** Of the vRouter of the client's host, which need not have an engine. */
async function askFlow(
  { introspector, patience }: PlanesDeps,
  { survey, flow, tree }: Scene,
): Promise<Read<FlowSeen> | undefined> {
  const vip = flow && vipFor(tree, flow);
  const client = survey.clients.find(({ address }) => address === flow?.source);
  const vRouter = survey.vRouters.find(({ name }) => name === client?.host);
  const listener = tree.listeners.find(({ enabled, deleting }) => enabled && !deleting);
  const network = survey.networks.find(({ id }) => id === vip?.networkId);
  if (!flow || !vip || !client || !vRouter || !listener || !network) return undefined;
  const { name: host, address } = vRouter;
  const route = { instance: instanceOf(network), prefix: hostPrefix(vip.address) };
  const key: FlowKey = {
    ...{ source: flow.source, sourcePort: flow.port, destination: vip.address },
    ...{ destinationPort: listener.protocolPort, protocol: listener.protocol === 'UDP' ? 'udp' : 'tcp' },
  };
  const look = async (): Promise<FlowSeen> => ({
    host,
    route: await introspector.vRouterRoute(address, route),
    record: await introspector.vRouterFlow(address, client.portId, key),
  });
  return attempt(`vRouter of ${host}, flow table by introspect of ${address}`, look, patience);
}

function isEngines(vnics: readonly VnicRow[], portId: string): boolean {
  return vnics.some((vnic) => vnic.portId === portId && vnic.vipSide);
}

function all<T, U>(items: readonly T[], work: (item: T) => Promise<U>): Promise<U[]> {
  return Promise.all(items.map(work));
}

function present<T>(items: readonly (T | undefined)[]): T[] {
  return items.flatMap((it) => (it === undefined ? [] : [it]));
}
