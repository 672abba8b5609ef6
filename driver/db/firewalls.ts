import { fromJson, toJson } from './codecs';
import { type Db, dbNow, prepared } from './connect';
import type { VipFirewallRow } from './rows';

/** What the user's security groups let in to a VIP, as the worker found it: the health-manager hands it to engines. */

/** Undefined until the groups have been looked at. The caller knows the rules' type: `FirewallRule` of driver/protocol. */
export async function findFirewall<Rule>(db: Db, loadBalancerId: string): Promise<readonly Rule[] | undefined> {
  const [row] = await prepared<Pick<VipFirewallRow, 'rules'>>(
    db,
    'select rules from vip_firewall where load_balancer_id = ?',
    [loadBalancerId],
  );
  return row && fromJson<Rule[]>(row.rules);
}

/** True if that is news. */
export async function recordFirewall(db: Db, loadBalancerId: string, rules: readonly object[]): Promise<boolean> {
  const known = await findFirewall(db, loadBalancerId);
  if (known && toJson(known) === toJson(rules)) return false;
  const row = { rules: toJson(rules), updated_at: dbNow(db) };
  if ((await db('vip_firewall').where({ load_balancer_id: loadBalancerId }).update(row)) === 0) {
    await db('vip_firewall').insert({ load_balancer_id: loadBalancerId, ...row });
  }
  return true;
}

/** The user has taken all groups off the VIP. True if there were rules. */
export async function forgetFirewall(db: Db, loadBalancerId: string): Promise<boolean> {
  return (await db('vip_firewall').where({ load_balancer_id: loadBalancerId }).delete()) > 0;
}
