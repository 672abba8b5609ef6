import { type Db, dbNow } from './connect';
import { loadBalancersOn } from './engines';

/** What operators ask of an engine as a whole. All in a transaction of the caller. */

/** Nothing new is placed on it, and what is there leaves. False: it has not come up yet, or is going. */
export async function takeOutOfService(trx: Db, engineId: string): Promise<boolean> {
  const moved = await trx('service_engine')
    .where({ id: engineId, deleting: 0 })
    .whereIn('status', ['READY', 'DOWN'])
    .update({ status: 'DRAINING', updated_at: dbNow(trx) });
  return moved === 1;
}

/** It takes load balancers again; what has not left it yet stays. */
export async function enableEngine(trx: Db, engineId: string): Promise<void> {
  await trx('service_engine')
    .where({ id: engineId, deleting: 0, status: 'DRAINING' })
    .update({
      status: trx.raw("case when connected_to is null then 'DOWN' else 'READY' end"),
      silent_since: trx.raw(`case when connected_to is null then coalesce(silent_since, ?) else null end`, [
        dbNow(trx),
      ]),
      updated_at: dbNow(trx),
    });
}

/** Asks all placements on the engine to leave it. Gives how many do now. */
export async function askAllToLeave(trx: Db, engineId: string, requestId: string): Promise<number> {
  return trx('placement')
    .where({ service_engine_id: engineId, deleting: 0 })
    .whereNull('drain_until')
    .where((it) => it.whereNull('request').orWhereIn('request', ['configure', 'switchover']))
    .update({ request: 'migrate', request_id: requestId, updated_at: dbNow(trx) });
}

/**
 * Asks the masters of pairs to hand over: of an engine, or of a load balancer. `alone` are those whose standby is not
 * there.
 */
export async function askForSwitchover(
  trx: Db,
  of: { readonly engineId?: string; readonly loadBalancerId?: string },
  requestId: string,
): Promise<{ readonly asked: number; readonly alone: number }> {
  const masters: { id: string; standby: number | string }[] = await trx('placement as p')
    .join('load_balancer as lb', 'lb.id', 'p.load_balancer_id')
    .where({ 'p.role': 'primary', 'p.deleting': 0 })
    .whereNotNull('lb.master_term')
    .modify((query) => {
      if (of.engineId !== undefined) query.where('p.service_engine_id', of.engineId);
      if (of.loadBalancerId !== undefined) query.where('p.load_balancer_id', of.loadBalancerId);
    })
    .select(
      'p.id',
      trx.raw(`(select count(*) from placement s join service_engine e on e.id = s.service_engine_id
        where s.load_balancer_id = p.load_balancer_id and s.role = 'standby' and s.deleting = 0 and s.stale = 0
          and s.confirmed_generation >= 0 and e.status = 'READY' and e.connected_to is not null) as standby`),
    );
  const able = masters.filter(({ standby }) => Number(standby) > 0).map(({ id }) => id);
  const asked = await trx('placement')
    .whereIn('id', able)
    .where((it) => it.whereNull('request').orWhere('request', 'configure'))
    .update({ request: 'switchover', request_id: requestId, updated_at: dbNow(trx) });
  return { asked, alone: masters.length - able.length };
}

export const listOnEngine = loadBalancersOn;
