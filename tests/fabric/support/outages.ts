import { tapOf } from './plan';
import type { Slipstream } from './slipstream';
import type { Balanced } from './stage';
import { keepAsking } from './traffic';

/** What clients notice of a failure. */
export interface Outage {
  readonly lost: number;
  /** From the first to the last request that was lost. */
  readonly seconds: number;
}

const ASKED_AT_ONCE = 2;

/** Asks a load balancer without end; `stop` says what was lost. */
export async function watchOutage({
  asker,
  url,
}: Pick<Balanced, 'asker' | 'url'>): Promise<{ stop(): Promise<Outage> }> {
  const asking = keepAsking(asker, { url, parallel: ASKED_AT_ONCE, timeout: 300, pause: 20 });
  await asking.begun;
  return {
    async stop() {
      const { failures } = await asking.stop();
      const times = failures.map(({ at }) => at);
      const span = times.length === 0 ? 0 : Math.max(...times) - Math.min(...times);
      return { lost: failures.length, seconds: span / 1000 };
    },
  };
}

export type Cut = 'management' | 'data';

/** Cuts an engine's networks: its interfaces stay up, and nothing comes through. Gives what mends them. */
export async function cut(site: Slipstream, engineId: string, what: readonly Cut[]): Promise<() => Promise<void>> {
  const { db, fabric, hypervisor } = site;
  const engine: { compute_id: string; host: string } = await db('service_engine')
    .where({ id: engineId })
    .first('compute_id', 'host');
  const links: Link[] = [];
  if (what.includes('management')) {
    links.push({ namespace: hypervisor.machineOf(engine.compute_id) ?? '', device: 'eth0' });
  }
  if (what.includes('data')) {
    const ports: { port_id: string; network_id: string }[] = await db('se_vnic')
      .where({ service_engine_id: engineId, deleting: 0 })
      .whereNotNull('port_id')
      .select('port_id', 'network_id');
    for (const { port_id, network_id } of ports) {
      links.push({ namespace: fabric.namespaceOf(engine.host, network_id), device: tapOf(port_id) });
    }
  }
  await Promise.all(links.map((link) => block(fabric, link)));
  return async () => {
    for (const { namespace, device } of links) {
      await fabric.run(namespace, 'nft', 'delete', 'table', 'netdev', `cut_${device}`);
    }
  };
}

interface Link {
  readonly namespace: string;
  readonly device: string;
}

/** All at once: half of a cut is another failure. */
async function block({ run }: Slipstream['fabric'], { namespace, device }: Link): Promise<void> {
  const table = `netdev cut_${device}`;
  const hook = (name: string) => `{ type filter hook ${name} device ${device} priority 0 ; }`;
  const lines = [
    `add table ${table}`,
    `add chain ${table} in ${hook('ingress')}`,
    `add chain ${table} out ${hook('egress')}`,
    `add rule ${table} in drop`,
    // The sender of a frame that is dropped here would be told, and wait: this one is led to where nobody has its address.
    `add rule ${table} out fwd to lo`,
  ];
  await run(namespace, 'nft', lines.join(' ; '));
}
