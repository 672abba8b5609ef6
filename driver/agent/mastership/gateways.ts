import { setTimeout } from 'node:timers/promises';
import type { DomainSpec } from '../../protocol/engineSpec';
import { read } from '../network/commands';
import { enter } from '../process/enter';
import type { Ping } from '../serve/pinger';

/** Whether an address answers in a namespace. Never rejects. */
export type GatewayProbe = (address: string, namespace: string) => Promise<boolean>;

interface Where {
  readonly spec: Pick<DomainSpec, 'routes'>;
  readonly namespace: string;
}

/** What is known of a domain's gateway. */
export interface Gateway {
  /** When it last answered; null: never. */
  readonly answeredAt: number | null;
  /** It has answered, and does not any more. */
  readonly isSilent: boolean;
}

/** Milliseconds between two questions in a domain with a pair, and for an answer. */
const INTERVAL = 1_000;
const PATIENCE = 1_000;
/** ... in others: each question is a process, so that many domains are asked less often. */
const CALM_INTERVAL = 2_000;
const INTERVAL_BY_DOMAIN = 100;
/** Questions in a row that are not answered: an agent that gets no time to ask learns nothing from that. */
const ENOUGH = 2;

interface Entry {
  askedAt: number;
  answeredAt: number | null;
  unanswered: number;
  isAsking: boolean;
}

/** Asks the gateways of domains, again and again. */
export function createGateways(probe: GatewayProbe, now: () => number) {
  const known = new Map<string, Entry>();
  const ask = async (entry: Entry, gateway: string, namespace: string): Promise<void> => {
    entry.isAsking = true;
    entry.askedAt = now();
    const answers = await probe(gateway, namespace);
    entry.isAsking = false;
    entry.unanswered = answers ? 0 : entry.unanswered + 1;
    if (answers) entry.answeredAt = now();
  };
  return {
    /** What is known of the domain's gateway; null: it has none. Asks it when that is due: sooner if there is a pair. */
    look({ spec, namespace }: Where, isPaired: boolean): Gateway | null {
      const gateway = gatewayOf(spec);
      if (gateway === undefined) return null;
      const key = `${namespace} ${gateway}`;
      const entry = known.get(key) ?? {
        ...{ askedAt: Number.NEGATIVE_INFINITY, answeredAt: null, unanswered: 0, isAsking: false },
      };
      known.set(key, entry);
      // The first one that is not answered is followed by another at once.
      const isDoubtful = entry.answeredAt !== null && entry.unanswered > 0 && entry.unanswered < ENOUGH;
      const interval = isPaired || isDoubtful ? INTERVAL : Math.max(CALM_INTERVAL, known.size * INTERVAL_BY_DOMAIN);
      if (!entry.isAsking && now() - entry.askedAt >= interval) void ask(entry, gateway, namespace);
      return { answeredAt: entry.answeredAt, isSilent: entry.answeredAt !== null && entry.unanswered >= ENOUGH };
    },
    /** Forgets gateways of domains that are gone. */
    keep(domains: readonly Where[]): void {
      const kept = new Set(domains.map(({ spec, namespace }) => `${namespace} ${gatewayOf(spec)}`));
      for (const key of known.keys()) if (!kept.has(key)) known.delete(key);
    },
  };
}

export type Gateways = ReturnType<typeof createGateways>;

function gatewayOf({ routes }: Pick<DomainSpec, 'routes'>): string | undefined {
  return routes.find(({ destination }) => destination.endsWith('/0'))?.nextHop;
}

/** A ping; a gateway that answers none still answers who has its address, which the kernel asked for the ping. */
export function gatewayProbe(ping: Ping | null): GatewayProbe {
  return async (address, namespace) => {
    try {
      if (await ping?.(address, PATIENCE, namespace)) return true;
      return await hasAddress(address, namespace);
    } catch {
      return false;
    }
  };
}

/** What a kernel knows of a neighbour it believes for most of a minute: it is made to ask again. */
async function hasAddress(address: string, namespace: string): Promise<boolean> {
  const show = (): Promise<string> => read(enter(namespace, 'ip', ['neighbour', 'show', address]));
  const [, device, link] = KNOWN.exec(await show()) ?? [];
  if (device === undefined || link === undefined) return false;
  const words = ['neighbour', 'change', address, 'lladdr', link, 'dev', device, 'nud', 'probe'];
  await read(enter(namespace, 'ip', words));
  await setTimeout(PATIENCE);
  return / REACHABLE/.test(await show());
}

const KNOWN = /dev (\S+) lladdr (\S+) .*(?:REACHABLE|STALE|DELAY|PROBE)/;
