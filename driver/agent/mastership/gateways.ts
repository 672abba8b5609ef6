import type { DomainSpec } from '../../protocol/engineSpec';
import { read } from '../network/commands';
import { enter } from '../process/enter';
import type { Ping } from '../serve/pinger';

/** Whether an address answers in a namespace. Never rejects. */
export type GatewayProbe = (address: string, namespace: string) => Promise<boolean>;

/** Milliseconds between two questions, and for an answer. */
const INTERVAL = 1_000;
const PATIENCE = 1_000;

/** Asks the gateways of domains in which there are pairs, again and again. */
export function createGateways(probe: GatewayProbe, now: () => number) {
  const known = new Map<string, { asked: number; answered: number | null }>();
  return {
    /** When the domain's gateway last answered; null: never, or it has none. Asks it when that is due. */
    answeredAt({ spec, namespace }: { readonly spec: DomainSpec; readonly namespace: string }): number | null {
      const gateway = spec.routes.find(({ destination }) => destination.endsWith('/0'))?.nextHop;
      if (gateway === undefined) return null;
      const key = `${namespace} ${gateway}`;
      const entry = known.get(key) ?? { asked: Number.NEGATIVE_INFINITY, answered: null };
      known.set(key, entry);
      if (now() - entry.asked >= INTERVAL) {
        entry.asked = now();
        void probe(gateway, namespace).then((answers) => {
          if (answers) entry.answered = now();
        });
      }
      return entry.answered;
    },
  };
}

/** A ping; a gateway that answers none still answers who has its address, which the kernel asked for the ping. */
export function gatewayProbe(ping: Ping | null): GatewayProbe {
  return async (address, namespace) => {
    try {
      if (await ping?.(address, PATIENCE, namespace)) return true;
      const text = await read(enter(namespace, 'ip', ['neighbour', 'show', address]));
      return /lladdr .*(REACHABLE|PROBE|DELAY)/.test(text);
    } catch {
      return false;
    }
  };
}
