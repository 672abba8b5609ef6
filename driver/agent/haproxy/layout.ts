import { createHash } from 'node:crypto';
import type { ListenerSpec, LoadBalancerSpec, PoolSpec } from '../../protocol/spec';
import { timeoutsOf } from './timeouts';

export type Mode = 'http' | 'tcp';

/** What one listener becomes. `backend` is null when nobody serves it. */
export interface Frontend {
  readonly listener: ListenerSpec;
  readonly mode: Mode;
  readonly backend: string | null;
  /**
   * The backend of each REDIRECT_TO_POOL policy, by the policy's id; null: the pool is enabled, but this engine cannot
   * serve it. A policy whose pool is disabled is not here and matches nothing, as with Octavia.
   */
  readonly redirects: ReadonlyMap<string, string | null>;
}

/** What a pool becomes for those of its listeners that agree in mode and member timeouts (nearly always: all of them). */
export interface Backend {
  readonly name: string;
  readonly pool: PoolSpec;
  readonly mode: Mode;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Milliseconds. */
  readonly dataTimeout: number;
  /** haproxy's numeric server id of each member id. */
  readonly serverIds: ReadonlyMap<string, number>;
}

/** The sections of one haproxy. */
export interface Layout {
  /** With the listeners that are haproxy's. */
  readonly spec: LoadBalancerSpec;
  readonly frontends: readonly Frontend[];
  readonly backends: readonly Backend[];
}

/**
 * haproxy's consistent hash spreads a server over a ring by its id times 4096 in 32 bits: of an id, 20 bits count. They
 * are taken from the member's own id, so that every engine and every restart hashes alike whatever the order of arrival.
 */
const SERVER_IDS = 1 << 20;

/** Numeric ids for a pool's members: the same for the same set of members, whatever their order. */
export function assignServerIds(memberIds: readonly string[]): Map<string, number> {
  const taken = new Set<number>();
  const ids = new Map<string, number>();
  for (const memberId of [...memberIds].sort()) {
    let id = createHash('sha1').update(memberId).digest().readUInt32BE(0) % SERVER_IDS;
    while (id === 0 || taken.has(id)) id = (id + 1) % SERVER_IDS;
    taken.add(id);
    ids.set(memberId, id);
  }
  return ids;
}

/**
 * Lays a spec out in frontends and backends. Pools that no listener uses do not appear (Octavia shows them OFFLINE);
 * neither does a disabled pool, whose listener then has no backend.
 */
export function layOut(spec: LoadBalancerSpec): Layout {
  const pools = new Map(spec.pools.map((pool) => [pool.id, pool]));
  const backends: Backend[] = [];
  const listeners = spec.listeners.filter(isStream);
  const frontends = listeners.map((listener): Frontend => {
    const backendOf = (poolId: string | null): string | null => {
      const pool = poolId === null ? undefined : pools.get(poolId);
      return pool?.enabled ? backendFor(backends, listener, pool) : null;
    };
    const redirects = listener.l7Policies
      .filter(({ action, redirectPoolId }) => action === 'REDIRECT_TO_POOL' && redirectPoolId !== null)
      .filter(({ redirectPoolId }) => pools.get(redirectPoolId ?? '')?.enabled !== false)
      .map(({ id, redirectPoolId }) => [id, backendOf(redirectPoolId)] as const);
    const backend = backendOf(listener.defaultPoolId);
    return {
      listener,
      mode: modeOf(listener, pools.get(listener.defaultPoolId ?? '')),
      backend,
      redirects: new Map(redirects),
    };
  });
  return { spec: { ...spec, listeners }, frontends, backends };
}

/** What is no byte stream is not haproxy's (`agent/udp`). */
function isStream({ protocol }: ListenerSpec): boolean {
  return protocol !== 'UDP' && protocol !== 'SCTP';
}

/**
 * A TCP listener with an HTTP pool speaks HTTP from the start: as TCP, becoming HTTP at its backend, its idle connections
 * would be closed at a reload under requests that are on their way, and its bytes would be counted amiss.
 */
function modeOf({ protocol }: ListenerSpec, pool: PoolSpec | undefined): Mode {
  if (protocol === 'HTTP' || protocol === 'TERMINATED_HTTPS' || protocol === 'PROMETHEUS') return 'http';
  return protocol === 'TCP' && pool?.protocol === 'HTTP' && pool.enabled ? 'http' : 'tcp';
}

function backendFor(backends: Backend[], listener: ListenerSpec, pool: PoolSpec): string {
  const mode = modeOf(listener, pool);
  const { memberConnect, memberData } = timeoutsOf(listener);
  const siblings = backends.filter((backend) => backend.pool.id === pool.id);
  const same = siblings.find(
    (backend) =>
      backend.mode === mode && backend.connectTimeout === memberConnect && backend.dataTimeout === memberData,
  );
  if (same !== undefined) return same.name;

  const name = siblings.length === 0 ? pool.id : `${pool.id}:${listener.id}`;
  backends.push({
    name,
    pool,
    mode,
    connectTimeout: memberConnect,
    dataTimeout: memberData,
    serverIds: siblings[0]?.serverIds ?? assignServerIds(pool.members.map((member) => member.id)),
  });
  return name;
}

/** An address and port a listener binds. */
export interface Endpoint {
  readonly listenerId: string;
  readonly address: string;
  readonly port: number;
}

export function endpoints(layout: Layout): Endpoint[] {
  return layout.frontends.flatMap(({ listener }) =>
    layout.spec.vips.map((address) => ({ listenerId: listener.id, address, port: listener.port })),
  );
}

/** `address:port` in the form haproxy takes, IPv6 in brackets. */
export function socketAddress(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
