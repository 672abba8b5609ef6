import type { Db } from '../db/connect';
import { recordEvents } from '../db/events';
import type { EngineEvent } from '../protocol/messages';

/** Event names an agent may use; anything else is recorded under a name that says so. */
const NAME = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Records what an engine tells. A load balancer that is not placed on it is not believed. */
export async function recordEngineEvent(db: Db, engineId: string, event: EngineEvent): Promise<void> {
  const placed: { id: string; project_id: string } | undefined =
    event.loadBalancerId === null
      ? undefined
      : await db('placement as p')
          .join('load_balancer as lb', 'lb.id', 'p.load_balancer_id')
          .where({ 'p.service_engine_id': engineId, 'p.load_balancer_id': event.loadBalancerId })
          .first('lb.id', 'lb.project_id');
  const name = NAME.test(event.name) ? event.name : 'ENGINE_EVENT';
  await recordEvents(db, [{ name, severity: 'warning', message: event.message }], {
    engineId,
    loadBalancerId: placed?.id ?? null,
    projectId: placed?.project_id ?? null,
  });
}
