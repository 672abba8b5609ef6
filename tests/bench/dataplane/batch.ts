import { logIn } from '../../support/apiClient';
import { startSite } from '../../support/site';
import { quantile } from '../figures';
import { haproxyPids } from './haproxies';

const MEMBERS = 1000;
const TIMES = 5;

export const BATCH_HEADINGS = ['1,000 members at once', 'request KiB', 'to ACTIVE p50 ms', 'max ms', 'reloads'];

interface BatchKind {
  readonly what: string;
  readonly limit: string | null;
  readonly member: (index: number) => object;
}

const address = (index: number, round: number) => `127.${100 + round}.${Math.floor(index / 250)}.${(index % 250) + 1}`;

/** Minimal bodies fit under the default limit of a request; full ones need a higher one. */
const KINDS: readonly BatchKind[] = [
  { what: 'minimal bodies', limit: null, member: () => ({}) },
  {
    what: 'full bodies',
    limit: '1048576',
    member: (index) => ({
      name: `member-${index}`,
      weight: 1 + (index % 256),
      backup: false,
      admin_state_up: true,
      monitor_address: null,
      monitor_port: 8080,
      subnet_id: null,
      tags: ['batch', `number-${index}`],
    }),
  },
];

/** Replaces all members of a pool that serves, by one request. */
export async function timeBatches(): Promise<(string | number)[][]> {
  const rows: (string | number)[][] = [];
  for (const kind of KINDS) rows.push(await timeBatch(kind));
  return rows;
}

async function timeBatch({ what, limit, member }: BatchKind): Promise<(string | number)[]> {
  const options = limit === null ? {} : { options: { oslo_middleware: { max_request_body_size: limit } } };
  const site = await startSite({ vipCidr: '127.93.0.0/24', ...options });
  try {
    const client = await logIn(site);
    const pool = { name: 'p', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', members: [] };
    const listeners = [{ protocol: 'HTTP', protocol_port: 8080, default_pool: pool }];
    const fields = { vip_subnet_id: client.subnetId, listeners };
    const { id } = await client.create<{ id: string }>('/loadbalancers', 'loadbalancer', fields);
    await client.settled(id);
    const [{ id: poolId } = { id: '' }] = (await client.request('GET', '/pools')).body.pools as { id: string }[];
    const before = haproxyPids(id).join();
    const times: number[] = [];
    let size = 0;
    for (let round = 0; round < TIMES; round += 1) {
      const members = Array.from({ length: MEMBERS }, (_, index) => {
        return { address: address(index, round), protocol_port: 80, ...member(index) };
      });
      size = JSON.stringify({ members }).length;
      const started = performance.now();
      const { status } = await client.request('PUT', `/pools/${poolId}/members`, { members });
      if (status !== 202) throw new Error(`the batch was answered ${status}`);
      if ((await client.settled(id, 60_000)) !== 'ACTIVE') throw new Error('the batch ended in ERROR');
      times.push(performance.now() - started);
    }
    const reloads = haproxyPids(id).join() === before ? 'none' : 'some';
    return [what, (size / 1024).toFixed(0), quantile(times, 0.5).toFixed(0), Math.max(...times).toFixed(0), reloads];
  } finally {
    await site.dispose();
  }
}
