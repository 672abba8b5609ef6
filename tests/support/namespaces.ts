import { type ChildProcess, execFile, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { end, identify } from '../../driver/agent/process/identity';

/**
 * Machines and networks for tests, as network namespaces of this host: nothing outside them changes. Needs root and
 * iproute2. Everything is gone after `dispose`, also what was started with `spawn`.
 */
export interface Topology {
  /** A namespace with `lo` up. Its name begins with `ss-` and is unique on this host. */
  namespace(label: string): Promise<Namespace>;
  /** A bridge: an Ethernet to plug interfaces into. It has a namespace of its own. */
  network(label: string): Promise<Network>;
  dispose(): Promise<void>;
}

export interface Namespace {
  /** As `ip -n` takes it. */
  readonly name: string;
  /** Runs `ip` in it; gives its output. */
  ip(...words: string[]): Promise<string>;
  /** Runs a command in it; gives its output. Rejects, with what it said, unless it ends well. */
  run(command: string, ...words: string[]): Promise<string>;
  /** Starts a command in it: the child's pid is that of the command. */
  spawn(command: string, words: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Ends what `spawn` has started here, and removes it with the interfaces in it. */
  remove(): Promise<void>;
}

export interface Network {
  readonly bridge: Namespace;
  /** Adds an interface of that name to a namespace and joins it to the network, up and with the addresses. */
  plug(into: Namespace, nic: Nic): Promise<void>;
  /** Takes out the interface with that MAC, wherever it has been moved to. */
  unplug(macAddress: string): Promise<void>;
}

export interface Nic {
  /** At most 15 characters. Default: the kernel's choice. */
  readonly name?: string;
  readonly macAddress: string;
  readonly mtu?: number;
  /** With prefix length. */
  readonly addresses?: readonly string[];
  /** Default true. */
  readonly up?: boolean;
  /** Default routes by these. */
  readonly gateways?: readonly string[];
}

const LONGEST = 60_000;

/** True if namespaces can be made here, and filtered. */
export function canMakeNamespaces(): boolean {
  const works = (command: string, ...words: string[]) => spawnSync(command, words).status === 0;
  return process.getuid?.() === 0 && works('ip', 'netns', 'list') && works('nft', '--version');
}

/** @param prefix of the names, `ss-` and a few characters */
export function createTopology(prefix = 'ss-t'): Topology {
  const stem = `${prefix}-${randomBytes(3).toString('hex')}`;
  const made: Namespace[] = [];
  const namespace = async (label: string) => {
    const one = await makeNamespace(`${stem}-${label}`);
    made.push(one);
    return one;
  };
  return {
    namespace,
    network: async (label) => makeNetwork(await namespace(label)),
    async dispose() {
      for (const one of made.splice(0).reverse()) await one.remove();
    },
  };
}

async function makeNamespace(name: string): Promise<Namespace> {
  await execute('ip', ['netns', 'add', name]);
  const children = new Set<ChildProcess>();
  const enter = (command: string, words: readonly string[]) => [`--net=/run/netns/${name}`, command, ...words];
  const ip = (...words: string[]) => execute('ip', ['-n', name, ...words]);
  await ip('link', 'set', 'lo', 'up');
  return {
    name,
    ip,
    run: (command, ...words) => execute('nsenter', enter(command, words)),
    spawn(command, words, options = {}) {
      const child = spawn('nsenter', enter(command, words), options);
      children.add(child);
      child.once('exit', () => children.delete(child));
      return child;
    },
    async remove() {
      const identities = [...children].flatMap(({ pid }) => (pid === undefined ? [] : (identify(pid) ?? [])));
      await end(identities);
      await execute('ip', ['netns', 'delete', name]).catch((error: unknown) => {
        if (!String(error).includes('No such file')) throw error;
      });
    },
  };
}

async function makeNetwork(bridge: Namespace): Promise<Network> {
  await bridge.ip('link', 'add', 'br0', 'type', 'bridge', 'forward_delay', '0');
  await bridge.ip('link', 'set', 'br0', 'up');
  return {
    bridge,
    async plug(into, nic) {
      const port = portOf(nic.macAddress);
      // By way of the bridge's namespace: no interface of the kind is seen in the root namespace, not for a moment.
      const peer = ['peer', 'netns', into.name, ...(nic.name === undefined ? [] : ['name', nic.name])];
      const mtu = nic.mtu === undefined ? [] : ['mtu', String(nic.mtu)];
      await bridge.ip('link', 'add', port, ...mtu, 'type', 'veth', ...peer, 'address', nic.macAddress, ...mtu);
      await bridge.ip('link', 'set', port, 'master', 'br0', 'up');
      await configure(into, nic);
    },
    async unplug(macAddress) {
      // Its other end goes with it.
      await bridge.ip('link', 'delete', portOf(macAddress));
    },
  };
}

function portOf(macAddress: string): string {
  return `p${macAddress.replaceAll(':', '')}`;
}

async function configure(into: Namespace, nic: Nic): Promise<void> {
  // Left as it comes: an agent may have taken it away before it could be looked at.
  if (nic.up === false && !nic.addresses?.length && !nic.gateways?.length) return;
  const links: { ifname: string; address: string }[] = JSON.parse(await into.ip('-json', 'link', 'show'));
  const name = links.find(({ address }) => address === nic.macAddress)?.ifname;
  if (name === undefined) throw new Error(`${nic.macAddress} has not come to ${into.name}`);
  const family = (address: string) => (address.includes(':') ? ['nodad'] : []);
  for (const address of nic.addresses ?? []) await into.ip('address', 'add', address, 'dev', name, ...family(address));
  if (nic.up !== false) await into.ip('link', 'set', name, 'up');
  for (const gateway of nic.gateways ?? []) {
    await into.ip(gateway.includes(':') ? '-6' : '-4', 'route', 'add', 'default', 'via', gateway, 'dev', name);
  }
}

function execute(command: string, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, words, { timeout: LONGEST }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command} ${words.join(' ')}: ${stderr.trim() || error.message}`));
    });
  });
}
