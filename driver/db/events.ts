import { randomUUID } from 'node:crypto';
import type { Happening } from '../domain/settlement';
import { type Db, dbNow, nowPlus } from './connect';

/** What an event is about; all parts may be unknown. */
export interface EventContext {
  readonly projectId?: string | null;
  readonly loadBalancerId?: string | null;
  readonly engineId?: string | null;
  readonly requestId?: string | null;
  readonly userId?: string | null;
}

/** Longest message kept: daemons' error output can be endless. */
const MESSAGE_LIMIT = 8_000;

/** Records what an operator would ask about. Times are the database's. */
export async function recordEvents(
  db: Db,
  happenings: readonly Happening[],
  context: EventContext = {},
): Promise<void> {
  if (happenings.length === 0) return;
  const rows = happenings.map((it) => ({
    id: randomUUID(),
    at: dbNow(db),
    name: it.name,
    severity: it.severity,
    project_id: context.projectId ?? null,
    load_balancer_id: context.loadBalancerId ?? null,
    service_engine_id: it.engineId ?? context.engineId ?? null,
    resource_type: it.resourceType ?? null,
    resource_id: it.resourceId ?? null,
    message: it.message.slice(0, MESSAGE_LIMIT),
    request_id: it.requestId ?? context.requestId ?? null,
    user_id: context.userId ?? null,
  }));
  for (let start = 0; start < rows.length; start += BATCH) await db('event').insert(rows.slice(start, start + BATCH));
}

/** Seconds after which a trouble that goes on is told again. */
const NEWS_AGE = 3_600;

/** Records what is wrong with an engine, unless just that was what was told of it last, not long ago. */
export async function recordNews(db: Db, happening: Happening, engineId: string): Promise<void> {
  const last: { message: string } | undefined = await db('event')
    .where({ service_engine_id: engineId, name: happening.name })
    .where('at', '>', nowPlus(db, -NEWS_AGE))
    .orderBy('at', 'desc')
    .first('message');
  if (last?.message === happening.message.slice(0, MESSAGE_LIMIT)) return;
  await recordEvents(db, [happening], { engineId });
}

/** Bounds the bindings of one statement. */
const BATCH = 200;
