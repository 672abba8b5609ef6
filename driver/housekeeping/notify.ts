import type { Notification, Notifier } from '../bus/port';
import type { NotificationSettings } from '../config/notifications';
import type { Db } from '../db/connect';
import { type EventNotice, listUntoldEvents, markTold } from '../db/notifications';
import { deleteOutbox, listNotifications, type OutboxMessage } from '../db/outbox';

/** Messages at a time. */
const BATCH = 500;

/** Tells those who listen: to every topic in every format that is configured. */
export interface Teller {
  tell(notification: Notification): Promise<void>;
}

export function createTeller(
  notifier: Notifier,
  { topics, formats }: Pick<NotificationSettings, 'topics' | 'formats'>,
): Teller {
  return {
    async tell(notification) {
      for (const topic of topics) for (const format of formats) await notifier.notify(topic, notification, format);
    },
  };
}

/** A message of the outbox as Octavia's worker would send it. */
function noticeOf({ method, args }: OutboxMessage): Notification {
  const { project_id } = args;
  return {
    publisherId: null,
    eventType: method,
    priority: 'info',
    payload: args,
    context: typeof project_id === 'string' ? { project_id } : {},
  };
}

/**
 * Tells what the outbox holds for those who listen; apart from the casts, which need not wait for a broker that is away.
 * Without anybody to tell it is thrown away.
 */
export async function tellNotifications({ db, teller }: { db: Db; teller?: Teller }): Promise<void> {
  const told: string[] = [];
  try {
    for (const message of await listNotifications(db, BATCH)) {
      await teller?.tell(noticeOf(message));
      told.push(message.id);
    }
  } finally {
    await deleteOutbox(db, told);
  }
}

/** Older events are history: switching notifications on does not send it all. Seconds. */
const NEWS = 3_600;
/** Tells of our own events. One that is told and then not marked, because its process died, is told again. */
export async function tellEvents(db: Db, teller: Teller): Promise<void> {
  const told: string[] = [];
  try {
    for (const event of await listUntoldEvents(db, NEWS, BATCH)) {
      await teller.tell(eventNotice(event));
      told.push(event.id);
    }
  } finally {
    await markTold(db, told);
  }
}

const PRIORITIES = { info: 'info', warning: 'warn', error: 'error' } as const;

function eventNotice(event: EventNotice): Notification {
  return {
    publisherId: 'slipstream',
    eventType: `slipstream.${event.name.toLowerCase()}`,
    priority: PRIORITIES[event.severity],
    payload: event,
    context: event.project_id === null ? {} : { project_id: event.project_id },
  };
}
