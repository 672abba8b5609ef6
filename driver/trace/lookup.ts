import { serves } from '../domain/answers';
import type { SurveyedFloatingIp, SurveyedNetwork, SurveyedPort } from '../domain/survey';
import type { LoadBalancerTree, Member, Pool } from '../domain/tree';
import type { EngineFacts } from '../protocol/inspection';
import { contentOf, type EngineRow, type TraceFacts, type VnicRow } from './facts';

/** Look-ups in the facts that several faults and lines have in common. Pure. */

/** What a line and the findings about it know each other by. */
export const subject = {
  loadBalancer: 'loadbalancer',
  listener: (id: string) => `listener ${id}`,
  pool: (id: string) => `pool ${id}`,
  member: (id: string) => `member ${id}`,
  engine: (id: string) => `engine ${id}`,
  inspection: (id: string) => `inspection ${id}`,
  port: (id: string) => `port ${id}`,
  vipPort: (id: string) => `vip-port ${id}`,
  network: (id: string) => `network ${id}`,
  floatingIp: (id: string) => `floating-ip ${id}`,
  bgpService: (id: string) => `bgp-service ${id}`,
  session: (engineId: string, peer: string) => `session ${engineId} ${peer}`,
  controlRoute: (node: string, prefix: string) => `route ${node} ${prefix}`,
  controlNode: (node: string) => `control-node ${node}`,
  vRouter: (host: string) => `vrouter ${host}`,
  vRouterInterface: (portId: string) => `vrouter-interface ${portId}`,
  vRouterRoute: (host: string, prefix: string) => `vrouter-route ${host} ${prefix}`,
} as const;

export interface VipAt {
  readonly address: string;
  readonly networkId: string | null;
}

export function vipsOf({ vip, additionalVips }: LoadBalancerTree): readonly VipAt[] {
  return [vip, ...additionalVips].flatMap(({ ipAddress, networkId }) =>
    ipAddress === null ? [] : [{ address: ipAddress, networkId }],
  );
}

export function isOffNetwork({ vipWithdrawn, vipHeld }: LoadBalancerTree): boolean {
  return vipWithdrawn || vipHeld;
}

/** Engines that are to answer: silent ones only while there is no other. */
export function answering({ tree, engines }: Pick<TraceFacts, 'tree' | 'engines'>): readonly EngineRow[] {
  const serving = tree.placements.filter((it) => serves(it) && !it.draining);
  const fresh = serving.filter(({ stale }) => !stale);
  const ids = (fresh.length > 0 ? fresh : serving).map(({ engineId }) => engineId);
  return engines.filter(({ id }) => ids.includes(id));
}

export function nameOf({ engines }: Pick<TraceFacts, 'engines'>, engineId: string): string {
  return engines.find(({ id }) => id === engineId)?.name ?? engineId;
}

/** A place where VIPs are to be answered for. */
export interface VipSide {
  readonly engine: EngineRow;
  readonly vnic: VnicRow;
  readonly portId: string;
  /** As Contrail has it; undefined where it was not read, or is not there. */
  readonly port: SurveyedPort | undefined;
}

export function vipSides(facts: TraceFacts): readonly VipSide[] {
  const ports = contentOf(facts.survey)?.ports ?? [];
  return answering(facts).flatMap((engine) =>
    facts.vnics
      .filter(({ engineId, vipSide, deleting }) => engineId === engine.id && vipSide && !deleting)
      .flatMap((vnic) =>
        vnic.portId === null
          ? []
          : [{ engine, vnic, portId: vnic.portId, port: ports.find(({ id }) => id === vnic.portId) }],
      ),
  );
}

export function portLabel({ engine, portId }: Pick<VipSide, 'engine' | 'portId'>): string {
  return `port ${portId} of engine ${engine.name}`;
}

export const VNC = 'VNC';

/** In front of these VIPs: engines' ports have those of other load balancers as well. */
export function floatingIpsOf({ tree, survey }: Pick<TraceFacts, 'tree' | 'survey'>): readonly SurveyedFloatingIp[] {
  const own = [tree.vip, ...tree.additionalVips];
  const ports = own.flatMap(({ portId }) => portId ?? []);
  const addresses = own.flatMap(({ ipAddress }) => ipAddress ?? []);
  return (contentOf(survey)?.floatingIps ?? []).filter(
    ({ id, portIds, fixedAddress }) =>
      id === tree.floatingIpId ||
      portIds.some((portId) => ports.includes(portId)) ||
      (fixedAddress !== null && addresses.includes(fixedAddress)),
  );
}

export function networkIn({ survey }: TraceFacts, id: string | null): SurveyedNetwork | undefined {
  return contentOf(survey)?.networks.find((it) => it.id === id);
}

/** Those engines that told, with what they told. */
export interface Told {
  readonly engine: EngineRow;
  readonly at: string;
  readonly facts: EngineFacts;
}

export function tellers(facts: TraceFacts): readonly Told[] {
  return facts.engines.flatMap((engine) => {
    const read = facts.inspections.get(engine.id);
    return read && 'value' in read ? [{ engine, at: read.at, facts: read.value }] : [];
  });
}

/** Pools that a listener or a policy sends traffic to. */
export function usedPools({ listeners, pools }: LoadBalancerTree): readonly Pool[] {
  const enabled = listeners.filter((it) => it.enabled && !it.deleting);
  const ids = new Set([
    ...enabled.flatMap(({ defaultPoolId }) => defaultPoolId ?? []),
    ...enabled.flatMap(({ policies }) => policies).flatMap(({ redirectPoolId }) => redirectPoolId ?? []),
  ]);
  return pools.filter(({ id, deleting }) => ids.has(id) && !deleting);
}

export interface MemberSeen {
  readonly pool: Pool;
  readonly member: Member;
  /** By engine name. */
  readonly seen: readonly {
    readonly engine: EngineRow;
    readonly status: string;
    readonly check: string | null;
    readonly at: string;
  }[];
}

/** Members that are to take traffic, with what each engine says of them. */
export function membersSeen(facts: TraceFacts): readonly MemberSeen[] {
  const told = tellers(facts);
  return usedPools(facts.tree).flatMap((pool) =>
    pool.members
      .filter(({ enabled, deleting }) => enabled && !deleting)
      .map((member) => ({
        pool,
        member,
        seen: told.flatMap(({ engine, at, facts: { members } }) => {
          const found = members.find(({ memberId }) => memberId === member.id);
          return found ? [{ engine, at, status: found.status, check: found.check }] : [];
        }),
      })),
  );
}

export function isDown({ seen }: MemberSeen): boolean {
  return seen.length > 0 && seen.every(({ status }) => status === 'DOWN');
}

/** All that could take traffic are down, on every engine that told. */
export function isDead(facts: TraceFacts): boolean {
  const members = membersSeen(facts);
  return members.length > 0 && members.every(isDown);
}

export function addressesOf(cidrs: readonly string[]): string[] {
  return cidrs.map((cidr) => cidr.split('/')[0] ?? '');
}

export function hostPrefix(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

/** "a", "a and b", "a, b and c". */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
