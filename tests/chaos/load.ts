import { setTimeout as sleep } from 'node:timers/promises';

/** What came of writes. */
export interface Tally {
  /** Answered with 2xx: these must be found later. */
  readonly accepted: string[];
  /** Names that were refused for good, or whose answer never came: they may or may not be there, but never half. */
  readonly unclear: string[];
  /** Any answer by its status; 0 when there was none. */
  readonly statuses: Record<number, number>;
}

export interface LoadOptions {
  /** Base URLs; each write goes to the next one. */
  readonly apis: () => readonly string[];
  readonly prefix: string;
  readonly count: number;
  /** Writes at a time. */
  readonly concurrency: number;
  /** Milliseconds between the starts of two writes; 0: as fast as they are answered. */
  readonly pace?: number;
}

const SUBNET = '3b2f4c0e-5f43-4d0e-9d6f-0f1f0c7f3a11';

/** Creates load balancers, each with a listener, a pool and two members in one request. A failed request is not repeated. */
export async function createLoadBalancers(options: LoadOptions): Promise<Tally> {
  const { apis, prefix, count, concurrency, pace = 0 } = options;
  const tally: Tally = { accepted: [], unclear: [], statuses: {} };
  let next = 0;
  const from = performance.now();
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      await sleep(Math.max(0, from + index * pace - performance.now()));
      const urls = apis();
      const status = await post(
        `${urls[index % urls.length]}/v2/lbaas/loadbalancers`,
        aTree(`${prefix}-${index}`),
        index,
      );
      tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
      (status === 201 ? tally.accepted : tally.unclear).push(`${prefix}-${index}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return tally;
}

export interface RemoveOptions {
  readonly apis: () => readonly string[];
  /** Of load balancers that are there; each is asked for once. */
  readonly ids: readonly string[];
  readonly concurrency: number;
}

/** Deletes load balancers with all below them. A failed request is not repeated. The tally has ids. */
export async function removeLoadBalancers({ apis, ids, concurrency }: RemoveOptions): Promise<Tally> {
  const tally: Tally = { accepted: [], unclear: [], statuses: {} };
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < ids.length; index = next++) {
      const urls = apis();
      const id = ids[index] as string;
      const url = `${urls[index % urls.length]}/v2/lbaas/loadbalancers/${id}?cascade=true`;
      const status = await send(url, { method: 'DELETE' });
      tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
      (status === 204 ? tally.accepted : tally.unclear).push(id);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return tally;
}

function post(url: string, body: unknown, index: number): Promise<number> {
  const headers = { 'content-type': 'application/json', 'x-project-id': `project-${index % 8}` };
  return send(url, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function send(url: string, request: RequestInit): Promise<number> {
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(60_000) });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

function aTree(name: string) {
  return {
    loadbalancer: {
      name,
      vip_subnet_id: SUBNET,
      listeners: [
        {
          name: 'l',
          protocol: 'HTTP',
          protocol_port: 80,
          default_pool: {
            name: 'p',
            protocol: 'HTTP',
            lb_algorithm: 'ROUND_ROBIN',
            members: [
              { address: '10.0.0.1', protocol_port: 80 },
              { address: '10.0.0.2', protocol_port: 80 },
            ],
          },
        },
      ],
    },
  };
}
