import { type Pages, type Struct, struct } from '../introspect';
import { GATEWAY, type Place } from '../plan';
import { CONTROL_NODES } from '../render';
import { interfaceOf, isAnnounced, labelOf, localTaps, ofFamily, type World } from './world';

/** What an address pair or an instance-ip of several is exported with; what BGP brings has its own. */
const [STATIC_PREFERENCE, BGP_PREFERENCE] = [200, 100];
const STATES: Readonly<Record<string, string>> = {
  ...{ IDLE: 'Idle', CONNECT: 'Connect', ACTIVE: 'Active', OPENSENT: 'OpenSent' },
  ...{ OPENCONFIRM: 'OpenConfirm', ESTABLISHED: 'Established' },
};

/** The introspect pages of a control-node, 0 or 1: from its speakers, and from what the vRouters' kernels have to export. */
export function controlNodePages(world: World, node: number): Pages {
  return {
    async ShowRouteReq(query) {
      const table = query.get('routing_table') ?? '';
      const prefix = query.get('prefix') ?? '';
      const networkId = networkOf(world, table);
      if (networkId === undefined) return struct('ShowRouteResp', { tables: [] });
      const paths = [...toldPaths(world, node, networkId, prefix), ...(await exported(world, networkId, prefix))];
      const routes = paths.length > 0 ? [struct('ShowRoute', { prefix, paths })] : [];
      const found = { routing_instance: world.instanceOf(networkId), routing_table_name: table, routes };
      return struct('ShowRouteResp', { tables: [struct('ShowRouteTable', found)] });
    },
    async BgpNeighborReq(query) {
      const wanted = query.get('search_string') ?? '';
      return struct('BgpNeighborListResp', { neighbors: await neighbours(world, node, wanted) });
    },
  };
}

function networkOf({ instances, instanceOf }: World, table: string): string | undefined {
  return instances().find(({ networkId }) => table.replace(/\.inet6?\.0$/, '') === instanceOf(networkId))?.networkId;
}

/** As the engines have announced it: with next hops that are resolved by the paths below. */
function toldPaths(world: World, node: number, networkId: string, prefix: string): Struct[] {
  const found = world.fabric.controlNodes.toldTo(node, networkId).filter((one) => one.prefix === prefix);
  return found.map(({ interfaceId, nextHop }) => {
    const session = sessionsOf(world).find((one) => one.interfaceId === interfaceId);
    return struct('ShowRoutePath', {
      ...{ protocol: 'BGP', local_preference: BGP_PREFERENCE, source: session?.address ?? '', next_hop: nextHop },
      ...{ label: 0, as_path: String(session?.peerAs ?? ''), flags: ['ResolveNexthop'], sequence_no: '0' },
    });
  });
}

/** A path for each host that has somebody for it. */
async function exported(world: World, networkId: string, prefix: string): Promise<Struct[]> {
  const places = world.instances().filter((one) => one.networkId === networkId && one.place !== GATEWAY);
  const found = await Promise.all(
    places.map(async ({ place }) => ({ place, taps: await localTaps(world, place, networkId, prefix) })),
  );
  return found.filter(({ taps }) => taps.length > 0).map(({ place, taps }) => pathOf(world, { place, taps, prefix }));
}

interface Export {
  readonly place: Place;
  readonly taps: readonly string[];
  readonly prefix: string;
}

function pathOf(world: World, { place, taps, prefix }: Export): Struct {
  const [tap = ''] = taps;
  const address = world.addressOf(place);
  const common = { next_hop: address, label: labelOf(world, place, taps), sequence_no: '0' };
  if (!isAnnounced(world, place, tap, prefix)) {
    const how = { protocol: 'XMPP', local_preference: STATIC_PREFERENCE, source: address, as_path: '' };
    return struct('ShowRoutePath', { ...how, ...common, flags: [] });
  }
  const own = interfaceOf(world, place, tap);
  const session = sessionsOf(world).find((one) => one.interfaceId === own?.id);
  return struct('ShowRoutePath', {
    ...{ protocol: 'BGP', local_preference: BGP_PREFERENCE, source: ofFamily(own?.addresses ?? [], '0.0.0.0') },
    ...{ as_path: String(session?.peerAs ?? ''), flags: ['ResolvedPath'], ...common },
  });
}

function sessionsOf({ instances }: World) {
  return instances().flatMap(({ networkId, sessions }) => sessions.map((one) => ({ ...one, networkId })));
}

/** A session within one AS is none: control-nodes ignore it. */
async function neighbours(world: World, node: number, wanted: string): Promise<Struct[]> {
  const known = sessionsOf(world)
    .filter(({ peerAs, localAs }) => peerAs !== localAs)
    .map((session) => ({
      ...session,
      name: `${world.instanceOf(session.networkId)}:${world.nameOf('virtual-machine-interface', session.interfaceId).split(':').at(-1)}`,
    }))
    .filter(({ name }) => name.includes(wanted));
  return Promise.all(
    known.map(async ({ name, interfaceId, address, peerAs, localAs, sourcePort }) => {
      const state = (await world.fabric.controlNodes.sessionsOf(interfaceId))[node] ?? '';
      return struct('BgpNeighborResp', {
        ...{ peer: name, peer_address: address, peer_asn: peerAs, peer_port: sourcePort, encoding: 'BGP' },
        ...{ peer_type: 'external', state: STATES[state] ?? 'Idle', router_type: 'bgpaas-client' },
        ...{ local_address: CONTROL_NODES[node] ?? '', local_asn: localAs, passive: 'true' },
      });
    }),
  );
}
