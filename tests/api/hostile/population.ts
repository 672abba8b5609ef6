import type { Db } from '../../../driver/db/connect';
import { PROJECT } from '../../support/api';
import { insertLoadBalancer, insertMember, insertPool } from '../../support/rows';

/** Names that databases are tempted to take for one another, and those that look like syntax. */
export const NAMES = [
  '',
  'a',
  'A',
  'a ',
  ' a',
  'ä',
  'a\u0308',
  'ß',
  'ss',
  '🙂',
  '%',
  '_',
  "a'b",
  'a\\',
  '0',
  '00',
  'null',
];
export const TAGS = ['x', 'X', 'y', ' x', 'ä', '%'];

export interface LoadBalancerSeed {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
}

const PLACES = 34;

/**
 * Load balancers, and members of one pool, that have much in common: equal times, nulls, equal names. Sorting them by
 * anything leaves ties.
 */
export async function populate(db: Db): Promise<{ loadBalancers: LoadBalancerSeed[]; poolId: string; size: number }> {
  const loadBalancers: LoadBalancerSeed[] = [];
  for (let n = 0; n < PLACES; n += 1) {
    const name = NAMES[n % NAMES.length] ?? '';
    const tags = TAGS.filter((_, index) => (n >> (index % 4)) % 2 === 1 && index <= n % 7);
    const row = await insertLoadBalancer(db, {
      ...timesOf(n),
      project_id: PROJECT,
      name,
      description: `d${n % 3}`,
      availability_zone: n % 5 === 0 ? null : 'zone',
      provider: n % 2 === 0 ? 'slipstream' : 'octavia',
      enabled: n % 3 === 0 ? 1 : 0,
    });
    for (const tag of tags) await db('tags').insert({ resource_id: row.id, tag });
    loadBalancers.push({ id: row.id, name, tags });
  }
  const poolId = (await insertPool(db, { project_id: PROJECT, load_balancer_id: loadBalancers[0]?.id ?? '' })).id;
  for (let n = 0; n < PLACES; n += 1) {
    await insertMember(db, {
      ...timesOf(n),
      project_id: PROJECT,
      pool_id: poolId,
      protocol_port: 1 + n,
      weight: n % 4,
      monitor_port: n % 2 === 0 ? null : n % 6,
      name: NAMES[(n * 7) % NAMES.length] ?? '',
    });
  }
  return { loadBalancers, poolId, size: PLACES };
}

function timesOf(n: number): { created_at: string; updated_at: string | null } {
  const time = `2026-11-21 10:00:0${n % 4}.${n % 2 === 0 ? '000' : '500'}`;
  return { created_at: time, updated_at: n % 3 === 0 ? null : time };
}
