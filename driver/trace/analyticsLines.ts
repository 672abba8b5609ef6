import type { PeerRecord, PortRecord } from '../domain/analytics';
import { contentOf, problemOf, type Read, type TraceFacts } from './facts';
import type { Draft } from './lines/rows';

const section = 'analytics';

/** What analytics and the schema transformer said: it comes late, and the lines above it count for more. */
export function analyticsLines({ analytics, transformer, tree, engines, vnics }: TraceFacts): Draft[] {
  const engineOf = (portId: string): string => {
    const engineId = vnics.find((vnic) => vnic.portId === portId)?.engineId;
    return engines.find(({ id }) => id === engineId)?.name ?? '?';
  };
  // Where the VIP is not announced, others' sessions are on the same ports.
  const isAnnounced = tree.vipMode === 'bgp';
  return [
    ...once(analytics ? [analytics.ports, analytics.peers] : []),
    ...(contentOf(analytics?.ports) ?? []).map(({ portId, record }) => ({
      ...{ section, subject: `analytics port ${portId}`, read: analytics?.ports.at ?? '' },
      status: record === undefined ? ('info' as const) : isWell(record) ? undefined : ('wrong' as const),
      text: `port ${portId} of engine ${engineOf(portId)}: ${record ? describePort(record) : 'no agent has reported it yet'}`,
    })),
    ...(contentOf(analytics?.peers) ?? []).map((peer) => ({
      ...{ section, subject: `analytics peer ${peer.controlNode} ${peer.router}`, read: analytics?.peers.at ?? '' },
      status: peer.state === 'Established' ? undefined : isAnnounced ? ('wrong' as const) : ('info' as const),
      text: describePeer(peer),
    })),
    ...once(transformer ? [transformer] : []),
    ...(contentOf(transformer) ?? []).map(({ serviceId, known }) => ({
      ...{ section, subject: `transformer ${serviceId}`, read: transformer?.at ?? '' },
      status: known ? undefined : isAnnounced ? ('wrong' as const) : ('info' as const),
      text: known
        ? `the schema transformer knows BGP service ${serviceId}`
        : `no schema transformer knows BGP service ${serviceId}: it makes no routers for its ports`,
    })),
  ];
}

/** What does not answer is one line, whatever it was asked. */
function once(reads: readonly Read<unknown>[]): Draft[] {
  const [read] = reads.filter((it) => problemOf(it) !== undefined);
  if (!read) return [];
  return [{ section, subject: read.at, status: 'unknown', text: problemOf(read) ?? '', read: read.at }];
}

function isWell({ active, healthCheckActive }: PortRecord): boolean {
  return active !== false && healthCheckActive !== false;
}

function describePort({ active, address, serverId, floatingIps, healthChecks }: PortRecord): string {
  const checks = healthChecks.map(
    (it) => `health check ${it.name} ${it.active ? 'passes' : 'fails'}${it.running ? '' : ' and does not run'}`,
  );
  return [
    `${address} of server ${serverId || '(none)'} ${active === null ? 'in an unknown state' : active ? 'active' : 'not active'}`,
    ...(floatingIps.length > 0 ? [`floating IPs ${floatingIps.join(', ')}`] : []),
    ...checks,
  ].join('; ');
}

function describePeer({ controlNode, router, address, peerAs, state, lastState, ...rest }: PeerRecord): string {
  const was = state === 'Established' || lastState === '' ? '' : ` (was ${lastState})`;
  const flaps = rest.flaps === 0 ? 'never lost' : `lost ${rest.flaps} times, the last at ${rest.lastFlap ?? '?'}`;
  const paths = rest.paths === null ? '' : `, ${rest.paths} paths`;
  return `${controlNode}: session with ${router} (${address}, AS ${peerAs ?? '?'}): ${state}${was}, ${flaps}${paths}`;
}
