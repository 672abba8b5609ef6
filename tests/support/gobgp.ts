import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { end, identify } from '../../driver/agent/process/identity';
import type { Namespace } from './namespaces';
import { waitUntil } from './wait';

/** A neighbour that may connect; it never connects itself, as control-nodes do not. */
export interface Neighbour {
  readonly address: string;
  readonly as: number;
  readonly secret?: string;
}

/** A BGP speaker of another make than the engine's, in a namespace. */
export interface Gobgp {
  /** The best paths to IPv4 and IPv6 prefixes, by prefix. */
  routes(): Promise<Map<string, HeardRoute>>;
  /** The state of the session with a neighbour, e.g. `established`. */
  session(address: string): Promise<string>;
  /** Asks for changes of paths from now on: each is the prefix, with a minus before it when it went, and `gracefully` after it when it is about to. */
  follow(): Promise<readonly string[]>;
  end(): Promise<void>;
}

export interface HeardRoute {
  readonly nextHops: readonly string[];
  readonly asPath: readonly number[];
  /** As `65535:0`. */
  readonly communities: readonly string[];
}

const PATIENCE = 40_000;
const ESTABLISHED = 6;

/** Starts a gobgpd in the namespace and waits until it answers. */
export async function startGobgp(
  namespace: Namespace,
  { as, routerId, neighbours }: { as: number; routerId: string; neighbours: readonly Neighbour[] },
): Promise<Gobgp> {
  const directory = mkdtempSync(join(tmpdir(), 'slgobgp-'));
  const file = join(directory, 'gobgpd.toml');
  writeFileSync(
    file,
    [`[global.config]\n  as = ${as}\n  router-id = "${routerId}"`, ...neighbours.map(section)].join('\n'),
  );
  const child = namespace.spawn('gobgpd', ['-f', file, '--api-hosts', '127.0.0.1:50051'], { stdio: 'ignore' });
  const gobgp = async (...words: string[]): Promise<unknown> =>
    JSON.parse((await namespace.run('gobgp', '-j', ...words)) || 'null');
  const follower: { stop(): void }[] = [];
  await waitUntil('gobgpd answers', PATIENCE, () =>
    gobgp('neighbor').then(
      () => true,
      () => false,
    ),
  );
  return {
    async routes() {
      const tables = await Promise.all([gobgp('global', 'rib', '-a', 'ipv4'), gobgp('global', 'rib', '-a', 'ipv6')]);
      return new Map(tables.flatMap((table) => Object.entries((table ?? {}) as Rib)).map(readRoute));
    },
    async session(address) {
      const all = (await gobgp('neighbor')) as { state: { neighbor_address?: string; session_state?: number } }[];
      const found = all.find(({ state }) => state.neighbor_address === address);
      return found?.state.session_state === ESTABLISHED ? 'established' : String(found?.state.session_state ?? 'none');
    },
    async follow() {
      const changes: string[] = [];
      const monitor = namespace.spawn('gobgp', ['monitor', 'global', 'rib'], { stdio: ['ignore', 'pipe', 'ignore'] });
      monitor.stdout?.setEncoding('utf8').on('data', (text: string) => {
        for (const [, kind, prefix, rest] of text.matchAll(/^(?:\S+ )?\[(\w+)\] (\S+)(.*)$/gm)) {
          const route = rest?.includes('planned-shut') ? `${prefix} gracefully` : `${prefix}`;
          changes.push(kind === 'ROUTE' ? route : `-${prefix}`);
        }
      });
      follower.push({ stop: () => void monitor.kill() });
      return changes;
    },
    async end() {
      for (const one of follower) one.stop();
      const identity = child.pid === undefined ? null : identify(child.pid);
      if (identity !== null) await end([identity]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function section({ address, as, secret }: Neighbour): string {
  return [
    '[[neighbors]]',
    '  [neighbors.config]',
    `    neighbor-address = "${address}"`,
    `    peer-as = ${as}`,
    ...(secret === undefined ? [] : [`    auth-password = "${secret}"`]),
    '  [neighbors.transport.config]',
    '    passive-mode = true',
    ...['ipv4-unicast', 'ipv6-unicast'].flatMap((family) => [
      '  [[neighbors.afi-safis]]',
      '    [neighbors.afi-safis.config]',
      `    afi-safi-name = "${family}"`,
    ]),
  ].join('\n');
}

type Rib = Record<
  string,
  { attrs: { type: number; nexthop?: string; communities?: number[]; as_paths?: { asns: number[] }[] }[] }[]
>;

function readRoute([prefix, paths]: [string, Rib[string]]): [string, HeardRoute] {
  const attributes = paths.flatMap(({ attrs }) => attrs);
  const nextHops = attributes.flatMap(({ nexthop }) => (nexthop === undefined ? [] : [nexthop]));
  const communities = attributes.flatMap((it) => it.communities ?? []);
  return [
    prefix,
    {
      nextHops,
      asPath: attributes.flatMap((it) => (it.as_paths ?? []).flatMap(({ asns }) => asns)),
      communities: communities.map((it) => `${it >>> 16}:${it & 0xffff}`),
    },
  ];
}
