import type { Db } from '../../../driver/db/connect';
import { type HealthMonitorRead, healthMonitors } from '../../../driver/db/read/healthMonitors';
import { type L7PolicyRead, l7Policies } from '../../../driver/db/read/l7Policies';
import { type L7RuleRead, l7Rules } from '../../../driver/db/read/l7Rules';
import { type ListenerRead, listeners } from '../../../driver/db/read/listeners';
import { type LoadBalancerRead, loadBalancers } from '../../../driver/db/read/loadBalancers';
import { type MemberRead, members } from '../../../driver/db/read/members';
import { type ReadModel, readOne, readPage } from '../../../driver/db/read/model';
import { type PoolRead, pools } from '../../../driver/db/read/pools';
import { NotFoundError } from '../../../driver/domain/errors';
import { groupBy } from '../../../driver/domain/groupBy';
import type { Schemas } from '../../openapi/schemas';
import { healthMonitorFullView } from '../healthmonitors/view';
import { l7PolicyFullView } from '../l7policies/view';
import { l7RuleView } from '../l7rules/view';
import { listenerFullView } from '../listeners/view';
import { memberView } from '../members/view';
import { poolFullView } from '../pools/view';
import { loadBalancerFullView } from './view';

type FullView = Schemas['LoadBalancerFullView'];

/**
 * What POST answers: the whole tree, as it stands in the command's transaction. One statement a kind of object.
 * @param written what a bare load balancer's row is known to hold
 */
export async function showFullLoadBalancer(db: Db, id: string, written?: LoadBalancerRead): Promise<FullView> {
  if (written) return loadBalancerFullView(written, [], []);
  const row = await readOne<LoadBalancerRead>(db, loadBalancers, id);
  if (!row) throw new NotFoundError('Load Balancer', id);
  // Most load balancers are made bare: nothing to look for then.
  if (row.listener_ids === null && row.pool_ids === null) return loadBalancerFullView(row, [], []);
  return loadBalancerFullView(row, await listenerViews(db, id), await poolViews(db, id));
}

const OF_LISTENERS = 'o.listener_id in (select l.id from listener l where l.load_balancer_id = ?)';
const OF_POLICIES =
  'o.l7policy_id in (select p.id from l7policy p join listener l on l.id = p.listener_id where l.load_balancer_id = ?)';
const OF_POOLS = 'o.pool_id in (select p.id from pool p where p.load_balancer_id = ?)';

async function listenerViews(db: Db, id: string): Promise<FullView['listeners']> {
  const rules = groupBy(await all<L7RuleRead>(db, l7Rules, OF_POLICIES, id), (rule) => rule.l7policy_id);
  const policies = groupBy(await all<L7PolicyRead>(db, l7Policies, OF_LISTENERS, id), (policy) => policy.listener_id);
  const rows = await all<ListenerRead>(db, listeners, 'o.load_balancer_id = ?', id);
  const policiesOf = (listenerId: string) =>
    (policies.get(listenerId) ?? [])
      .sort((a, b) => a.position - b.position)
      .map((policy) => l7PolicyFullView(policy, (rules.get(policy.id) ?? []).map(l7RuleView)));
  return rows.map((row) => listenerFullView(row, policiesOf(row.id)));
}

async function poolViews(db: Db, id: string): Promise<FullView['pools']> {
  const membersOf = groupBy(await all<MemberRead>(db, members, OF_POOLS, id), (member) => member.pool_id);
  const monitors = await all<HealthMonitorRead>(db, healthMonitors, OF_POOLS, id);
  const rows = await all<PoolRead>(db, pools, 'o.load_balancer_id = ?', id);
  return rows.map((row) => {
    const monitor = monitors.find((one) => one.pool_id === row.id);
    return poolFullView(
      row,
      (membersOf.get(row.id) ?? []).map(memberView),
      monitor ? healthMonitorFullView(monitor) : null,
    );
  });
}

function all<R extends object>(db: Db, model: ReadModel, sql: string, id: string): Promise<R[]> {
  const order = [
    { column: 'o.created_at', descending: false },
    { column: 'o.id', descending: false },
  ];
  return readPage<R>(db, model, { conditions: [{ sql, bindings: [id] }], order, limit: null });
}
