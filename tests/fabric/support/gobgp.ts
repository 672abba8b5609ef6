import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { runIn } from '../../../devstack/lab/hosts/shell';

/** GoBGP in a namespace: its configuration, and what it has learned. */
export interface Neighbour {
  readonly address: string;
  readonly peerAs: number;
  readonly localAs: number;
  readonly md5Key: string | null;
  /** Seconds; 0: 90. */
  readonly holdTime: number;
}

export interface RibPath {
  readonly prefix: string;
  readonly neighbour: string;
  readonly nextHop: string;
  /** Paths that agree in it are equally good. */
  readonly preference: string;
}

const GLOBAL_AS = 64512;

/** Sessions are opened by the neighbours alone, and nothing is announced to them. */
export function renderGobgp(address: string, neighbours: readonly Neighbour[], globalAs = GLOBAL_AS): string {
  return [
    '[global.config]',
    `  as = ${globalAs}`,
    `  router-id = "${address}"`,
    '  port = 179',
    `  local-address-list = ["${address}"]`,
    '[global.apply-policy.config]',
    '  default-export-policy = "reject-route"',
    ...neighbours.flatMap(renderNeighbour),
    '',
  ].join('\n');
}

function renderNeighbour({ address, peerAs, localAs, md5Key, holdTime }: Neighbour): string[] {
  const hold = holdTime || 90;
  return [
    '[[neighbors]]',
    '  [neighbors.config]',
    `    neighbor-address = "${address}"`,
    `    peer-as = ${peerAs}`,
    `    local-as = ${localAs}`,
    ...(md5Key === null ? [] : [`    auth-password = ${JSON.stringify(md5Key)}`]),
    '  [neighbors.transport.config]',
    '    passive-mode = true',
    '  [neighbors.ebgp-multihop.config]',
    '    enabled = true',
    '    multihop-ttl = 64',
    '  [neighbors.timers.config]',
    `    hold-time = ${hold}`,
    `    keepalive-interval = ${Math.max(1, Math.floor(hold / 3))}`,
    '    idle-hold-time-after-reset = 1',
    ...['ipv4', 'ipv6'].flatMap((family) => [
      '  [[neighbors.afi-safis]]',
      '    [neighbors.afi-safis.config]',
      `      afi-safi-name = "${family}-unicast"`,
    ]),
  ];
}

export interface Daemon {
  readonly namespace: string;
  readonly config: string;
  /** Of its own API, in the namespace. */
  readonly api: number;
}

export function startGobgp({ namespace, config, api }: Daemon): ChildProcess {
  const own = ['-f', config, '--api-hosts', `127.0.0.1:${api}`, '-p', '--pprof-disable', '--cpus', '1'];
  const child = spawn('nsenter', [`--net=/run/netns/${namespace}`, 'gobgpd', ...own], { stdio: 'ignore' });
  child.on('error', () => undefined);
  return child;
}

/** Calls back whenever something may have changed, for as long as the daemon runs. */
export function watchGobgp({ namespace, api }: Omit<Daemon, 'config'>, onSign: () => void): () => void {
  const words = (what: string) => [
    `--net=/run/netns/${namespace}`,
    ...['gobgp', '-p', String(api), 'monitor', what, '--current'],
  ];
  let isOver = false;
  const children = new Set<ChildProcess>();
  const start = (what: string): void => {
    const child = spawn('nsenter', words(what), { stdio: ['ignore', 'pipe', 'ignore'] });
    children.add(child);
    child.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', onSign);
    child.once('exit', () => {
      children.delete(child);
      if (!isOver) setTimeout(() => !isOver && start(what), 200).unref();
    });
  };
  for (const what of ['adj-in', 'neighbor']) start(what);
  return () => {
    isOver = true;
    for (const child of children) child.kill('SIGKILL');
  };
}

const Attribute = z.object({ type: z.number(), nexthop: z.string().optional() }).loose();
const Rib = z.record(
  z.string(),
  z.array(z.object({ 'neighbor-ip': z.string().optional(), attrs: z.array(Attribute) }).loose()),
);
const [ORIGIN, AS_PATH, NEXT_HOP, MED, LOCAL_PREFERENCE, MP_REACH] = [1, 2, 3, 4, 5, 14];

export async function readRib({ namespace, api }: Omit<Daemon, 'config'>): Promise<RibPath[]> {
  const of = async (family: string): Promise<RibPath[]> => {
    const words = ['-p', String(api), '-j', 'global', 'rib', '-a', family];
    const rib = Rib.parse(JSON.parse(await runIn(namespace, 'gobgp', words)));
    return Object.entries(rib).flatMap(([prefix, paths]) =>
      paths.map(({ attrs, 'neighbor-ip': neighbour }) => {
        const value = (type: number | undefined) => attrs.find((one) => one.type === type);
        return {
          prefix,
          neighbour: neighbour ?? '',
          nextHop: value(NEXT_HOP)?.nexthop ?? value(MP_REACH)?.nexthop ?? '',
          preference: JSON.stringify([
            value(LOCAL_PREFERENCE)?.['value'],
            lengthOf(value(AS_PATH)),
            value(ORIGIN)?.['value'],
            value(MED)?.['metric'],
          ]),
        };
      }),
    );
  };
  return [...(await of('ipv4')), ...(await of('ipv6'))];
}

function lengthOf(path: z.output<typeof Attribute> | undefined): number {
  const segments = path?.['as_paths'];
  return Array.isArray(segments) ? segments.reduce((sum: number, one: { num?: number }) => sum + (one.num ?? 1), 0) : 0;
}

const Neighbours = z.array(
  z.object({ state: z.object({ neighbor_address: z.string(), session_state: z.number().optional() }).loose() }).loose(),
);
const STATES = ['UNKNOWN', 'IDLE', 'CONNECT', 'ACTIVE', 'OPENSENT', 'OPENCONFIRM', 'ESTABLISHED'];

/** By neighbour. */
export async function readSessions({ namespace, api }: Omit<Daemon, 'config'>): Promise<Map<string, string>> {
  const found = Neighbours.parse(JSON.parse(await runIn(namespace, 'gobgp', ['-p', String(api), '-j', 'neighbor'])));
  return new Map(
    found.map(({ state }) => [state.neighbor_address, STATES[state.session_state ?? 0] ?? 'UNKNOWN'] as const),
  );
}
