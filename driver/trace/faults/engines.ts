import type { Placement } from '../../domain/tree';
import { type EngineRow, problemOf, type TraceFacts } from '../facts';
import type { Fault } from '../fault';
import { isOffNetwork, networkIn, subject, tellers } from '../lookup';

/** Engines that are not there, or not as they are wanted. */

const DATABASE = 'database';

function placed({ tree, engines }: TraceFacts): readonly { placement: Placement; engine: EngineRow }[] {
  return tree.placements
    .filter(({ deleting }) => !deleting)
    .flatMap((placement) => {
      const engine = engines.find(({ id }) => id === placement.engineId);
      return engine ? [{ placement, engine }] : [];
    });
}

const noEngine: Fault = {
  name: 'no-engine',
  find: (facts) =>
    placed(facts).length > 0
      ? []
      : [
          {
            subject: subject.loadBalancer,
            what: 'the load balancer is on no engine',
            read: DATABASE,
            cause: `placement has found none in group ${facts.group?.name ?? '(none)'}, or one is being made: see the events below`,
            cure: `slipstream placement explain ${facts.tree.id}`,
          },
        ],
};

/** A ghost has booted, and has found no way to its controllers; most often it has no address to begin with. */
const managementDhcp: Fault = {
  name: 'management-dhcp-off',
  find: (facts) => {
    const lost = placed(facts).filter(({ engine }) => !engine.connected && isUnborn(engine));
    const networks = facts.wanted.managementNetworkIds.flatMap((id) => networkIn(facts, id) ?? []);
    const off = networks.filter(({ subnets }) => subnets.some(({ dhcp }) => !dhcp));
    if (lost.length === 0) return [];
    return off.map((network) => ({
      subject: subject.engine(lost[0]?.engine.id ?? ''),
      what: `engine ${lost[0]?.engine.name} has never called home, and DHCP is off in the management network ${network.name}`,
      read: 'VNC, virtual-network network_ipam_refs enable_dhcp',
      cause: 'without DHCP an engine that is not told its address otherwise has none, and reaches no controller',
      cure: 'switch DHCP on in that subnet, or have engines bootstrap by config drive ([service_engine] bootstrap)',
    }));
  },
};

function isUnborn({ status }: EngineRow): boolean {
  return status === 'GHOST' || status === 'BUILDING';
}

const GHOST_CAUSE =
  'it was started without metadata or config drive, or has no way to its controllers from the management network';

/** A ghost is replaced at once, most often by another one: whoever waits for an engine is told of those before it. */
const ghost: Fault = {
  name: 'engine-ghost',
  find: (facts) => {
    const own = placed(facts).filter(({ engine }) => engine.status === 'GHOST');
    if (own.length > 0) {
      return own.map(({ engine }) => ({
        subject: subject.engine(engine.id),
        what: `engine ${engine.name} is a ghost: its server runs and it has never called home`,
        read: DATABASE,
        cause: GHOST_CAUSE,
        cure: `see its console (openstack console log show ${engine.computeId ?? '<server>'}), then slipstream engine delete ${engine.name}`,
      }));
    }
    const [latest] = facts.ghosts;
    const waiting = placed(facts).find(({ engine }) => !engine.connected && isUnborn(engine))?.engine;
    if (!latest || (placed(facts).length > 0 && !waiting)) return [];
    return [
      {
        subject: waiting ? subject.engine(waiting.id) : subject.loadBalancer,
        what: `${facts.ghosts.length} engines of group ${facts.group?.name ?? '(none)'} have become ghosts within the hour, the last at ${latest.at}: ${latest.message}`,
        read: `${DATABASE}, events`,
        cause: GHOST_CAUSE,
        cure: `see the console of the next one (openstack console log show ${waiting?.computeId ?? '<server>'}): what made ghosts of the others makes one of it`,
      },
    ];
  },
};

/** Where the vRouter of the host does not answer either, it is the host. */
const hostLost: Fault = {
  name: 'host-lost',
  find: (facts) =>
    placed(facts)
      .filter(({ engine }) => !engine.connected && !isUnborn(engine))
      .flatMap(({ engine }) => {
        const vRouter = facts.vRouters.find(({ host }) => host === engine.host);
        const problem = problemOf(vRouter?.interfaces);
        if (!vRouter || problem === undefined || facts.vRouters.every((it) => problemOf(it.interfaces))) return [];
        return [
          {
            subject: subject.engine(engine.id),
            what: `engine ${engine.name} is not connected, and the vRouter agent of its host ${engine.host} does not answer: ${problem}`,
            read: vRouter.interfaces.at,
            cause: `host ${engine.host}, its vRouter agent or its network is down`,
            cure: `look at host ${engine.host}; the load balancer moves to another engine by itself meanwhile`,
          },
        ];
      }),
};

const notConnected: Fault = {
  name: 'engine-not-connected',
  find: (facts) =>
    placed(facts)
      .filter(({ engine }) => !engine.connected && !isUnborn(engine))
      .map(({ engine }) => ({
        subject: subject.engine(engine.id),
        what: `engine ${engine.name} (${engine.status}) is not connected to any health-manager, last heard of at ${engine.lastHeartbeat ?? 'no time'}`,
        read: DATABASE,
        cause:
          'its agent has died or hangs, its server is down, or its management network is cut; it serves on as it was last told, if it lives',
        cure: `look at its server ${engine.computeId ?? ''} and at slipstream-agent there`,
      })),
};

const building: Fault = {
  name: 'engine-building',
  find: (facts) =>
    placed(facts)
      .filter(({ engine }) => engine.status === 'BUILDING')
      .map(({ engine }) => ({
        subject: subject.engine(engine.id),
        what: `engine ${engine.name} is still being built`,
        read: DATABASE,
        cause: 'its server is booting',
        cure: 'wait; one that never calls home becomes a ghost and is replaced',
      })),
};

const refused: Fault = {
  name: 'placement-refused',
  find: (facts) =>
    placed(facts).flatMap(({ placement, engine }) =>
      placement.refusals.map(({ kind, id, reason }) => ({
        subject: subject.engine(engine.id),
        what: `engine ${engine.name} does not serve ${kind} ${id}: ${reason}`,
        read: DATABASE,
        cause: 'what is configured cannot be served there',
        cure: `change the ${kind}, or mend what the reason says`,
      })),
    ),
};

const stale: Fault = {
  name: 'placement-stale',
  find: (facts) =>
    placed(facts)
      .filter(({ placement }) => placement.stale)
      .map(({ engine }) => ({
        subject: subject.engine(engine.id),
        what: `engine ${engine.name} was silent and has not confirmed since: it is not in the VIP's wiring while others serve`,
        read: DATABASE,
        cause: 'it was cut from the health-managers, or hung',
        cure: 'it returns by itself once it confirms; if it does not, slipstream engine show says why',
      })),
};

const unconfirmed: Fault = {
  name: 'placement-unconfirmed',
  find: (facts) =>
    placed(facts)
      .filter(({ placement, engine }) => engine.connected && !placement.stale && !placement.draining)
      .filter(({ placement }) => placement.confirmedGeneration < facts.tree.generation)
      .map(({ placement, engine }) => ({
        subject: subject.engine(engine.id),
        what: `engine ${engine.name} has generation ${placement.confirmedGeneration}, wanted is ${facts.tree.generation}`,
        read: DATABASE,
        cause: 'it is still at it, or waits for an interface or a certificate',
        cure: 'look again in a moment; then slipstream event list --engine',
      })),
};

const withdrawn: Fault = {
  name: 'vip-withdrawn',
  find: ({ tree }) =>
    isOffNetwork(tree)
      ? [
          {
            subject: subject.loadBalancer,
            what: tree.vipHeld
              ? 'its engines do not answer for its VIP: an import from Octavia is not through'
              : 'its VIP is off the network: no member is usable, and its flavor wants it so (withdraw_vip_on_down)',
            read: DATABASE,
            cause: tree.vipHeld ? 'whoever served it before still does' : 'all members are down',
            cure: tree.vipHeld ? 'confirm the import' : 'mend the members: the VIP comes back by itself',
          },
        ]
      : [],
};

/** The agent answers, and cannot tell: that is a line and, where it does not serve at all, a fault. */
const notServed: Fault = {
  name: 'not-served',
  find: (facts) =>
    tellers(facts).length > 0
      ? []
      : placed(facts).flatMap(({ engine }) => {
          const problem = problemOf(facts.inspections.get(engine.id));
          if (problem === undefined || !problem.includes('does not serve')) return [];
          return [
            {
              subject: subject.inspection(engine.id),
              what: `engine ${engine.name} does not know the load balancer`,
              read: facts.inspections.get(engine.id)?.at ?? '',
              cause: 'it has not been told yet',
              cure: 'look again in a moment',
            },
          ];
        }),
};

export const ENGINE_FAULTS: readonly Fault[] = [
  ...[managementDhcp, ghost, noEngine, hostLost, notConnected, building, refused, stale, notServed],
];
/** Of less weight than what is wrong with wiring and namespaces, which may be their cause. */
export const LATE_ENGINE_FAULTS: readonly Fault[] = [withdrawn, unconfirmed];
