import fc from 'fast-check';
import type { EmbeddedNetwork } from '../../../driver/clouds/network/memory';
import { startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';
import { aNetworkCloud } from '../../support/simulators/network';
import { type ListenerBody, type PolicyBody, type PoolBody, type TreeBody, treeBody } from './arbitraryTrees';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 60);
const TABLES = ['load_balancer', 'vip', 'listener', 'pool', 'member', 'health_monitor', 'l7policy', 'l7rule', 'tags'];

type Counts = Record<string, number>;

/** A fully populated create makes exactly what the document says, or nothing at all. */
describeOnDatabases('hostile graphs', (database) => {
  let api: TestApi;
  let cloud: EmbeddedNetwork;
  let subnetId: string;
  beforeAll(async () => {
    cloud = await aNetworkCloud('project');
    subnetId = [...cloud.model.subnets.all()].find(({ name }) => name === 'local')?.id ?? '';
    api = await startTestApi({ db: await database.open(), network: cloud.driver });
  });
  afterAll(() => api.close());

  const create = (body: object) =>
    api.post('/v2/lbaas/loadbalancers', { loadbalancer: { vip_subnet_id: subnetId, ...body } });
  const countRows = async (): Promise<Counts> => {
    const counts: Counts = { ports: [...cloud.model.ports.all()].length };
    for (const table of [...TABLES, 'outbox']) {
      counts[table] = Number((await api.db(table).count({ count: '*' }).first())?.['count']);
    }
    const usage = await api.db('quotas').select('*');
    for (const [name, value] of Object.entries(usage[0] ?? {}))
      if (name.startsWith('in_use')) counts[name] = Number(value);
    return counts;
  };

  it('are made whole, or leave nothing behind', async () => {
    let made = 0;
    await fc.assert(
      fc.asyncProperty(treeBody, async (body) => {
        await api.changes.deps.publisher.idle();
        const before = await countRows();
        const { status, body: answer, text } = await create(body);
        await api.changes.deps.publisher.idle();
        const after = await countRows();
        expect([status < 300, text]).toEqual([isGood(body), expect.any(String)]);
        if (status !== 201) {
          expect([400, 409]).toContain(status);
          expect(after).toEqual(before);
          return;
        }
        made += 1;
        expect(difference(before, after)).toMatchObject(contentOf(body));
        expect(outlineOf(answer.loadbalancer)).toEqual(outlineOfRequest(body));
      }),
      { numRuns: RUNS },
    );
    expect(made).toBeGreaterThan(RUNS / 10);
  }, 120_000);

  it('of any shape at all are refused, or are trees', async () => {
    const anything = fc.anything({
      key: fc.constantFrom('listeners', 'pools', 'members', 'name', 'rules', '__proto__'),
    });
    const bent = treeBody.chain((body) =>
      fc
        .constantFrom('listeners', 'pools', 'name')
        .chain((key) => anything.map((value) => ({ ...body, [key]: value }))),
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(anything, bent), async (body) => {
        const before = await countRows();
        const answer = await api.post('/v2/lbaas/loadbalancers', {
          loadbalancer: typeof body === 'object' && body !== null ? { vip_subnet_id: subnetId, ...body } : body,
        });
        await api.changes.deps.publisher.idle();
        expect([201, 400, 409]).toContain(answer.status);
        if (answer.status !== 201) expect(await countRows()).toEqual(before);
      }),
      { numRuns: RUNS },
    );
  }, 120_000);
});

const isReference = (pool: PoolBody): boolean => Object.keys(pool).join() === 'name';
const nestedPools = (body: TreeBody): PoolBody[] =>
  (body.listeners ?? []).flatMap(({ default_pool, l7policies }) =>
    [default_pool, ...(l7policies ?? []).map((policy) => policy.redirect_pool)].filter((pool) => pool !== undefined),
  );
const definitions = (body: TreeBody): PoolBody[] => [
  ...(body.pools ?? []),
  ...nestedPools(body).filter((pool) => !isReference(pool)),
];

/** Octavia's rules, as far as these documents can break them. */
function isGood(body: TreeBody): boolean {
  const defined = definitions(body);
  const names = defined.flatMap((pool) => (pool.name ? [pool.name] : []));
  const references = nestedPools(body).filter(isReference);
  const ports = (body.listeners ?? []).map((listener) => listener.protocol_port);
  const addresses = defined.map((pool) =>
    (pool.members ?? []).map((member) => `${member.address.toLowerCase()} ${member.protocol_port}`),
  );
  return (
    defined.every((pool) => pool.protocol && pool.lb_algorithm) &&
    references.every((pool) => names.includes(pool.name ?? '')) &&
    [names, ports, ...addresses].every((keys) => new Set<unknown>(keys).size === keys.length)
  );
}

function contentOf(body: TreeBody): Counts {
  const pools = definitions(body);
  const policies = (body.listeners ?? []).flatMap((listener) => listener.l7policies ?? []);
  const kinds = {
    listener: (body.listeners ?? []).length,
    pool: pools.length,
    member: pools.flatMap((pool) => pool.members ?? []).length,
    health_monitor: pools.filter((pool) => pool.healthmonitor).length,
    l7policy: policies.length,
    l7rule: policies.flatMap((policy) => policy.rules ?? []).length,
  };
  const used = Object.entries(kinds).map(([kind, count]) => [`in_use_${kind}`, count]);
  return { ...kinds, load_balancer: 1, vip: 1, ports: 1, tags: countTags(body), ...Object.fromEntries(used) };
}

function countTags(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [key, item]) => sum + (key === 'tags' ? (item as unknown[]).length : countTags(item)),
    0,
  );
}

function difference(before: Counts, after: Counts): Counts {
  return Object.fromEntries(Object.entries(after).map(([key, count]) => [key, count - (before[key] ?? 0)]));
}

/** What hangs on what, without ids. */
interface Outline {
  readonly listeners: readonly { readonly port: number; readonly pool: string | null; readonly policies: string[] }[];
  readonly pools: readonly string[];
}

const poolText = ({ name, protocol, lb_algorithm, members, healthmonitor }: PoolBody): string =>
  JSON.stringify([
    name ?? '',
    protocol,
    lb_algorithm,
    Boolean(healthmonitor),
    (members ?? []).map((member) => `${member.address} ${member.protocol_port}`).sort(),
  ]);

function outlineOfRequest(body: TreeBody): Outline {
  const defined = definitions(body);
  const resolve = (pool: PoolBody | undefined): string | null => {
    if (!pool) return null;
    return poolText(isReference(pool) ? (defined.find(({ name }) => name === pool.name) ?? pool) : pool);
  };
  return outline(body.listeners ?? [], defined, {
    poolOf: (listener) => resolve(listener.default_pool),
    targetOf: (policy) => resolve(policy.redirect_pool),
    policiesOf: (listener) => inOrder(listener.l7policies ?? []),
  });
}

interface AnsweredTree {
  readonly listeners: readonly (ListenerBody & { readonly default_pool_id: string | null })[];
  readonly pools: readonly (PoolBody & { readonly id: string })[];
}

function outlineOf({ listeners, pools }: AnsweredTree): Outline {
  const byId = new Map(pools.map((pool) => [pool.id, poolText(pool)]));
  const resolve = (id: string | null): string | null => (id === null ? null : (byId.get(id) ?? 'unknown'));
  return outline(listeners, pools, {
    poolOf: (listener) => resolve(listener.default_pool_id),
    targetOf: (policy) => resolve((policy as unknown as { redirect_pool_id: string | null }).redirect_pool_id),
    policiesOf: (listener) => listener.l7policies ?? [],
  });
}

interface Reading<L> {
  readonly poolOf: (listener: L) => string | null;
  readonly targetOf: (policy: PolicyBody) => string | null;
  readonly policiesOf: (listener: L) => readonly PolicyBody[];
}

function outline<L extends ListenerBody>(
  listeners: readonly L[],
  pools: readonly PoolBody[],
  read: Reading<L>,
): Outline {
  const policyText = (policy: PolicyBody) =>
    [policy.action, read.targetOf(policy), policy.redirect_url ?? null, (policy.rules ?? []).length].join(' ');
  return {
    listeners: listeners
      .map((listener) => ({
        port: listener.protocol_port,
        pool: read.poolOf(listener),
        policies: read.policiesOf(listener).map(policyText),
      }))
      .sort((a, b) => a.port - b.port),
    pools: pools.map(poolText).sort(),
  };
}

/** As if they had been created one by one, each at its position among those before it. */
function inOrder(policies: readonly PolicyBody[]): PolicyBody[] {
  const placed: PolicyBody[] = [];
  for (const policy of policies) placed.splice(Math.min(policy.position ?? 2 ** 31, placed.length + 1) - 1, 0, policy);
  return placed;
}
