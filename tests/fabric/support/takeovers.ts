import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { tapOf } from './plan';
import type { Interface } from './view';

/**
 * Who has an address of an active-standby pair: the interface from which ARP (or a neighbour advertisement) for it was
 * seen last. As the agent does, the vRouter asks for addresses that nobody has announced.
 */
export interface Takeovers {
  follow(instances: readonly Listening[]): void;
  activeOf(networkId: string, prefix: string): string | undefined;
  close(): void;
}

export interface Listening {
  readonly namespace: string;
  readonly networkId: string;
  /** With active-standby pairs. */
  readonly interfaces: readonly Interface[];
}

const FILTER = 'arp or (icmp6 and ip6[40] == 136)';
/** Milliseconds between two questions for an address nobody has. */
const ASK_EVERY = 500;

export function openTakeovers(onChange: () => void): Takeovers {
  const listeners = new Map<string, { readonly child: ChildProcess; latest: Listening }>();
  const active = new Map<string, string>();
  const key = (networkId: string, address: string) => `${networkId} ${address}`;
  const start = (first: Listening) => {
    const words = [`--net=/run/netns/${first.namespace}`, 'tcpdump', '-l', '-n', '-i', 'any', FILTER];
    const child = spawn('nsenter', words, { stdio: ['ignore', 'pipe', 'ignore'] });
    const entry = { child, latest: first };
    listeners.set(first.namespace, entry);
    child.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const seen = readAnnouncement(line);
      const owner = seen && entry.latest.interfaces.find(({ id }) => tapOf(id) === seen.device);
      const has = owner?.prefixes.some(({ prefix, isStandby }) => isStandby && prefix.split('/')[0] === seen?.address);
      if (!seen || !owner || !has || active.get(key(entry.latest.networkId, seen.address)) === owner.id) return;
      active.set(key(entry.latest.networkId, seen.address), owner.id);
      onChange();
    });
  };
  const timer = setInterval(() => {
    for (const { latest } of listeners.values()) ask(latest, (address) => active.has(key(latest.networkId, address)));
  }, ASK_EVERY).unref();
  return {
    follow(instances) {
      const wanted = new Map(instances.map((one) => [one.namespace, one]));
      for (const [namespace, { child }] of listeners) {
        if (wanted.has(namespace)) continue;
        child.kill('SIGKILL');
        listeners.delete(namespace);
      }
      for (const one of instances) {
        const known = listeners.get(one.namespace);
        if (known) known.latest = one;
        else start(one);
      }
    },
    activeOf: (networkId, prefix) => active.get(key(networkId, prefix.split('/')[0] ?? '')),
    close() {
      clearInterval(timer);
      for (const { child } of listeners.values()) child.kill('SIGKILL');
      listeners.clear();
    },
  };
}

function readAnnouncement(line: string): { device: string; address: string } | undefined {
  const [, device] = /\b(t[0-9a-f]{12})\b/.exec(line) ?? [];
  const [, told] = /who-has \S+.* tell ([0-9.]+)/.exec(line) ?? /Reply ([0-9.]+) is-at/.exec(line) ?? [];
  const [, target] = /neighbor advertisement, tgt is ([0-9a-f:]+)/.exec(line) ?? [];
  const address = told ?? target;
  return device !== undefined && address !== undefined ? { device, address } : undefined;
}

/** A packet for the address makes the kernel ask who has it. */
function ask({ namespace, interfaces }: Listening, isKnown: (address: string) => boolean): void {
  for (const { id, prefixes } of interfaces) {
    const open = prefixes.filter(({ isStandby }) => isStandby).map(({ prefix }) => prefix.split('/')[0] ?? '');
    for (const address of open.filter((one) => !isKnown(one))) {
      const words = [`--net=/run/netns/${namespace}`, 'ping', '-c', '1', '-W', '1', '-I', tapOf(id), address];
      spawn('nsenter', words, { stdio: 'ignore' }).on('error', () => undefined);
    }
  }
}
