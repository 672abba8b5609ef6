import type { Logger } from 'pino';
import { changeLink, readLinks } from './ip';

/** Tells neighbours, who may remember another engine's, the hardware address of VIPs that have come here. */
export interface Announcer {
  /** The VIPs that the interface has now; those that are new are announced, several times. */
  renew(device: string, addresses: readonly string[]): void;
  stop(): void;
}

/** Milliseconds after a VIP has come: a network may let the first ones go by, for it has not been told yet that it may. */
const TIMES = [0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000];

export function createAnnouncer(namespace: string, log: Logger): Announcer {
  let known = new Set<string>();
  let timers: NodeJS.Timeout[] = [];
  const stop = () => {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  };
  return {
    renew(device, addresses) {
      const isNew = addresses.some((address) => !known.has(address));
      known = new Set(addresses);
      if (!isNew) return;
      stop();
      timers = TIMES.map((delay) =>
        setTimeout(() => {
          announce(namespace, device).catch((err: unknown) => log.debug({ namespace, err }, 'VIPs were not announced'));
        }, delay).unref(),
      );
    },
    stop,
  };
}

/**
 * Sets the interface's hardware address to what it is, upon which the kernel sends a gratuitous ARP and an unsolicited
 * neighbour advertisement for each of its addresses (`arp_notify`, `ndisc_notify`), without a tool that an engine may lack.
 */
async function announce(namespace: string, device: string): Promise<void> {
  const links = await readLinks(namespace);
  const address = links.find(({ ifname }) => ifname === device)?.address;
  if (address !== undefined) await changeLink(namespace, 'link', 'set', 'dev', device, 'address', address);
}
