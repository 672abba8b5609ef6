import type { Session } from '../clients/session';

type Shown = Readonly<Record<string, unknown>>;

/** A load balancer and all that hangs on it, as the API of whoever serves it shows it, by id; less what changes by itself. */
export interface ShownTree {
  readonly loadBalancer: Shown;
  readonly listeners: Shown;
  readonly pools: Shown;
  readonly members: Shown;
  readonly healthMonitors: Shown;
  readonly policies: Shown;
  readonly rules: Shown;
}

const LB = 'load-balancer';
const LBAAS = '/v2/lbaas';
const CHANGING = ['operating_status', 'provisioning_status', 'updated_at'];

export async function readTree(session: Session, id: string): Promise<ShownTree> {
  const list = async (path: string, key: string): Promise<Shown[]> =>
    (await session.ask(LB, 'GET', `${LBAAS}/${path}`))[key];
  const each = async (of: readonly Shown[], path: (parent: string) => string, key: string): Promise<Shown[]> =>
    (await Promise.all(of.map((parent) => list(path(String(parent['id'])), key)))).flat();
  const { loadbalancer } = await session.ask(LB, 'GET', `${LBAAS}/loadbalancers/${id}`);
  const listeners = await list(`listeners?loadbalancer_id=${id}`, 'listeners');
  const pools = await list(`pools?loadbalancer_id=${id}`, 'pools');
  const policies = await each(listeners, (it) => `l7policies?listener_id=${it}`, 'l7policies');
  return {
    loadBalancer: steady(loadbalancer),
    listeners: byId(listeners),
    pools: byId(pools),
    members: byId(await each(pools, (it) => `pools/${it}/members`, 'members')),
    healthMonitors: byId(await each(pools, (it) => `healthmonitors?pool_id=${it}`, 'healthmonitors')),
    policies: byId(policies),
    rules: byId(await each(policies, (it) => `l7policies/${it}/rules`, 'rules')),
  };
}

function byId(all: readonly Shown[]): Shown {
  return Object.fromEntries(all.map((one) => [String(one['id']), steady(one)]));
}

/** References come in no order. */
function steady(one: Shown): Shown {
  const ordered = (value: unknown) =>
    Array.isArray(value) ? value.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : value;
  const kept = Object.entries(one).filter(([key]) => !CHANGING.includes(key));
  return Object.fromEntries(kept.map(([key, value]) => [key, ordered(value)]));
}
