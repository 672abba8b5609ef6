import type { Introspector } from '../../domain/introspect';
import type { Survey, SurveyedHost } from '../../domain/survey';
import type { ControlNodeFacts, VnicRow, VRouterFacts } from '../facts';
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
      const [controlNodes, vRouters] = await Promise.all([
        Promise.all(nodesOf(deps, scene.survey).map((node) => askControlNode(deps, node, { scene, wanted }))),
        Promise.all(hostsOf(scene).map((host) => askVRouter(deps, host, { scene, wanted }))),
      ]);
      return { controlNodes, vRouters };
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

/** The instance of a network bears its name twice. */
function routesWanted({ tree, survey }: Scene): WantedRoute[] {
  const instanceOf = (networkId: string | null): string | undefined => {
    const network = survey.networks.find(({ id }) => id === networkId);
    return network && `${network.fqName}:${network.fqName.split(':').at(-1)}`;
  };
  const addresses = [
    ...vipsOf(tree),
    ...floatingIpsOf({ tree, survey: { at: '', value: survey } }).map(({ address, networkId }) => ({
      address: address ?? '',
      networkId,
    })),
  ];
  return addresses.flatMap(({ address, networkId }) => {
    const instance = instanceOf(networkId);
    return instance === undefined || address === '' ? [] : [{ instance, prefix: hostPrefix(address) }];
  });
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

function isEngines(vnics: readonly VnicRow[], portId: string): boolean {
  return vnics.some((vnic) => vnic.portId === portId && vnic.vipSide);
}

function all<T, U>(items: readonly T[], work: (item: T) => Promise<U>): Promise<U[]> {
  return Promise.all(items.map(work));
}

function present<T>(items: readonly (T | undefined)[]): T[] {
  return items.flatMap((it) => (it === undefined ? [] : [it]));
}
