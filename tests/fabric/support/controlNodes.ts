import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addNamespace, ipBatch, runIn } from '../../../devstack/lab/hosts/shell';
import { type Neighbour, type RibPath, readRib, readSessions, renderGobgp, startGobgp, watchGobgp } from './gobgp';
import { type Instance, type Place, type Plan, UNDERLAY } from './plan';
import { CONTROL_NODES, ROUTER_MAC } from './render';
import { computeAddress } from './vRouters';

/**
 * Two control-nodes, as BGPaaS shows them: for each network with sessions a pair of GoBGP daemons, which see every engine
 * under its compute's address and translated port. An engine whose AS is the control-node's own has no session: there is
 * no iBGP. Of two engines on one compute that announce the same prefix one path is used, as they have one route
 * distinguisher.
 */
export interface ControlNodes {
  apply(plan: Plan, namespaceOf: (place: Place, networkId: string) => string): Promise<void>;
  /** Prefixes with a path over this interface. */
  announcedBy(interfaceId: string): readonly string[];
  /** What a control-node has been told, by 0 or 1, in a network: by which interface, and with which next hop. */
  toldTo(node: number, networkId: string): readonly Told[];
  /** States of the sessions of an interface, first and second control-node; empty while it has none. */
  sessionsOf(interfaceId: string): Promise<readonly string[]>;
  close(): void;
}

export interface Told {
  readonly prefix: string;
  readonly interfaceId: string;
  readonly nextHop: string;
}

export interface ControlNodesDeps {
  readonly prefix: string;
  readonly hosts: readonly Place[];
  readonly onChange: () => void;
}

interface Speaker {
  readonly api: number;
  readonly address: string;
  readonly config: string;
  readonly child: ChildProcess;
  readonly stopWatching: () => void;
  text: string;
  paths: readonly RibPath[];
}

interface Site {
  readonly networkId: string;
  readonly namespace: string;
  readonly speakers: readonly Speaker[];
  /** By interface: the address its sessions have behind the last translation. */
  readonly peers: Map<string, string>;
  readonly cabled: Set<Place>;
  rules: string;
  instances: readonly Instance[];
}

/** Milliseconds. Signs come at once; this is for those that are missed. */
const LOOK_EVERY = 1000;

export function openControlNodes({ prefix, hosts, onChange }: ControlNodesDeps): ControlNodes {
  const directory = mkdtempSync(join(tmpdir(), 'ss-fabric-bgp-'));
  const sites = new Map<string, Site>();
  let announced = new Map<string, readonly string[]>();
  const look = single(async () => {
    for (const { namespace, speakers } of sites.values()) {
      for (const speaker of speakers) speaker.paths = await readRib({ namespace, api: speaker.api });
    }
    const found = new Map([...sites.values()].flatMap(resolvePaths));
    if (JSON.stringify([...found]) === JSON.stringify([...announced])) return;
    announced = found;
    onChange();
  });
  const timer = setInterval(look, LOOK_EVERY).unref();
  return {
    async apply({ instances }, namespaceOf) {
      for (const { networkId, sessions } of instances) {
        if (sessions.length > 0 && !sites.has(networkId)) {
          sites.set(networkId, await openSite({ networkId, prefix, directory, look }));
        }
      }
      for (const site of sites.values()) {
        site.instances = instances.filter(({ networkId }) => networkId === site.networkId);
        for (const { place, sessions } of site.instances) {
          if (sessions.length === 0 || site.cabled.has(place)) continue;
          await cable({ site, instance: namespaceOf(place, site.networkId), place, hosts });
        }
        if (await configure(site, hosts)) look();
      }
    },
    announcedBy: (interfaceId) => announced.get(interfaceId) ?? [],
    toldTo(node, networkId) {
      const site = sites.get(networkId);
      const byAddress = new Map([...(site?.peers ?? [])].map(([id, address]) => [address, id] as const));
      return (site?.speakers[node]?.paths ?? []).flatMap(({ prefix, nextHop, neighbour }) => {
        const interfaceId = byAddress.get(neighbour);
        return interfaceId === undefined ? [] : [{ prefix, interfaceId, nextHop: plain(nextHop) }];
      });
    },
    async sessionsOf(interfaceId) {
      for (const { peers, speakers, namespace } of sites.values()) {
        const address = peers.get(interfaceId);
        if (address === undefined) continue;
        const found = await Promise.all(speakers.map(({ api }) => readSessions({ namespace, api })));
        return found.map((states) => states.get(address) ?? 'NONE');
      }
      return [];
    },
    close() {
      clearInterval(timer);
      for (const { child, stopWatching } of [...sites.values()].flatMap(({ speakers }) => speakers)) {
        stopWatching();
        child.kill('SIGKILL');
      }
      sites.clear();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** One at a time; what is asked for meanwhile comes after it, once. A daemon that does not answer yet is asked again later. */
function single(work: () => Promise<void>): () => void {
  let isRunning = false;
  let isWanted = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    while (isWanted) {
      isWanted = false;
      await work().catch(() => undefined);
    }
    isRunning = false;
  };
  return () => {
    isWanted = true;
    if (!isRunning) void run();
  };
}

interface SiteInput {
  readonly networkId: string;
  readonly prefix: string;
  readonly directory: string;
  readonly look: () => void;
}

async function openSite({ networkId, prefix, directory, look }: SiteInput): Promise<Site> {
  const namespace = `${prefix}bgp-${networkId.replaceAll('-', '').slice(0, 12)}`;
  await addNamespace(namespace, { 'ipv4/conf/all/rp_filter': '0', 'ipv4/conf/default/rp_filter': '0' });
  const lines = CONTROL_NODES.map((address) => `address add ${address}/32 dev lo`);
  await ipBatch(namespace, lines);
  const speakers = CONTROL_NODES.map((address, index): Speaker => {
    const config = join(directory, `${networkId}-${index}.toml`);
    const text = renderGobgp(address, []);
    writeFileSync(config, text);
    const api = 50_051 + index;
    const child = startGobgp({ namespace, config, api });
    return { api, address, config, child, text, paths: [], stopWatching: watchGobgp({ namespace, api }, look) };
  });
  return { networkId, namespace, speakers, peers: new Map(), cabled: new Set(), rules: '', instances: [] };
}

interface CableInput {
  readonly site: Site;
  /** Its namespace. */
  readonly instance: string;
  readonly place: Place;
  readonly hosts: readonly Place[];
}

async function cable({ site, instance, place, hosts }: CableInput): Promise<void> {
  const { namespace } = site;
  const device = `h-${place}`;
  const own = computeAddress(hosts, place);
  const mac = `address ${ROUTER_MAC}`;
  await ipBatch(instance, [
    `link add ${UNDERLAY} ${mac} type veth peer name ${device} ${mac} netns ${namespace}`,
    `address add ${own}/32 dev ${UNDERLAY}`,
    `link set ${UNDERLAY} up`,
    ...CONTROL_NODES.map((address) => `route add ${address}/32 dev ${UNDERLAY}`),
  ]);
  await ipBatch(namespace, [
    `link set ${device} up`,
    `route add ${own}/32 dev ${device}`,
    // Answers to a session's address take this way until they are translated back.
    `route replace 198.18.0.0/16 dev ${device}`,
  ]);
  site.cabled.add(place);
}

/** Tells the daemons who may call. Gives whether something has changed. */
async function configure(site: Site, hosts: readonly Place[]): Promise<boolean> {
  const sessions = site.instances.flatMap((one) => one.sessions.map((session) => ({ place: one.place, ...session })));
  for (const { interfaceId } of sessions) {
    const count = site.peers.size;
    if (!site.peers.has(interfaceId)) site.peers.set(interfaceId, `198.18.${count >> 7}.${(count & 127) + 1}`);
  }
  const addressOf = (interfaceId: string): string => site.peers.get(interfaceId) ?? '';
  const lines = sessions.map(({ place, interfaceId, sourcePort }) => {
    const from = `ip saddr ${computeAddress(hosts, place)} tcp sport ${sourcePort}`;
    return `    ${from} snat ip to ${addressOf(interfaceId)}`;
  });
  const rules = [
    'add table inet sessions',
    'delete table inet sessions',
    'table inet sessions {',
    '  chain calls {',
    '    type nat hook input priority 100; policy accept;',
    ...lines,
    '  }',
    '}',
    '',
  ].join('\n');
  if (rules !== site.rules) {
    await runIn(site.namespace, 'nft', ['-f', '-'], rules);
    await forgetUntranslated(site, hosts);
    setTimeout(() => void forgetUntranslated(site, hosts), SETTLED_AFTER).unref();
  }
  site.rules = rules;
  const neighbours = sessions
    .filter(({ peerAs, localAs }) => peerAs !== localAs)
    .map((session): Neighbour => ({ ...session, address: addressOf(session.interfaceId) }));
  const changed = site.speakers.filter((speaker) => {
    const text = renderGobgp(speaker.address, neighbours);
    if (text === speaker.text) return false;
    speaker.text = text;
    writeFileSync(speaker.config, text);
    speaker.child.kill('SIGHUP');
    return true;
  });
  return changed.length > 0;
}

/** Milliseconds. */
const SETTLED_AFTER = 2_000;

/**
 * A call that came while its rule was not there is known without a translation, and each that follows, from the same port,
 * keeps it so: it would never reach anybody.
 */
async function forgetUntranslated({ namespace }: Site, hosts: readonly Place[]): Promise<void> {
  for (const host of hosts) {
    const own = computeAddress(hosts, host);
    // That there is none is told as a failure.
    await runIn(namespace, 'conntrack', ['-D', '-p', 'tcp', '--reply-dst', own]).catch(() => undefined);
  }
}

/**
 * By interface, the prefixes whose traffic it gets: those with a next hop that is the engine's own address, of these the
 * best alone, and of one compute's the one with the lowest session address.
 */
function resolvePaths({ speakers, peers, instances }: Site): (readonly [string, readonly string[]])[] {
  const engines = instances.flatMap(({ place, taps }) =>
    taps.map(({ interface: { id, addresses } }) => ({ id, place, addresses, peer: peers.get(id) ?? '' })),
  );
  const usable = speakers
    .flatMap(({ paths }) => paths)
    .flatMap((path) => {
      const engine = engines.find(({ peer }) => peer === path.neighbour);
      return engine?.addresses.includes(plain(path.nextHop)) ? [{ ...path, engine }] : [];
    });
  const found = new Map<string, string[]>();
  for (const prefix of new Set(usable.map((path) => path.prefix))) {
    const paths = usable.filter((path) => path.prefix === prefix);
    const best = paths.map(({ preference }) => preference).sort(better)[0];
    const byPlace = new Map<Place, string>();
    for (const { engine, preference } of [...paths].sort((one, other) => (one.neighbour < other.neighbour ? -1 : 1))) {
      if (preference === best && !byPlace.has(engine.place)) byPlace.set(engine.place, engine.id);
    }
    for (const id of byPlace.values()) found.set(id, [...(found.get(id) ?? []), prefix]);
  }
  return [...found];
}

/** Without the prefix of an IPv4 address that is written as one of IPv6. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=[0-9.]+$)/, '');
}

/** Of `RibPath.preference`: local preference up, then path length, origin and MED down. */
function better(one: string, other: string): number {
  const [mine, theirs] = [one, other].map((text) => JSON.parse(text) as (number | null)[]);
  const at = (list: (number | null)[] | undefined, index: number) => list?.[index] ?? (index === 0 ? 100 : 0);
  for (const index of [0, 1, 2, 3]) {
    const difference = at(mine, index) - at(theirs, index);
    if (difference !== 0) return index === 0 ? -difference : difference;
  }
  return 0;
}
