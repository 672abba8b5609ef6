import { randomUUID } from 'node:crypto';
import type { Notification } from '../port';
import { bare, packContext, type Wire, wrap } from './envelope';
import type { Publisher } from './publisher';
import type { AmqpSettings } from './settings';
import { controlExchange, hexId, sharedQueue } from './topology';

export interface SendNotification {
  readonly publisher: Publisher;
  readonly settings: AmqpSettings;
  readonly now: () => Date;
}

/** Sends one notification to the queue `<topic>.<priority>`, which is declared so that it waits there. */
export async function sendNotification(
  { publisher, settings, now }: SendNotification,
  { topic, format }: { topic: string; format: 'messagingv2' | 'messaging' },
  notification: Notification,
): Promise<void> {
  const inner = notificationOf(notification, now());
  const key = `${topic}.${notification.priority}`;
  const body = format === 'messagingv2' ? wrap(inner) : bare(inner);
  await publisher.send({ exchange: controlExchange(settings), queue: sharedQueue(settings, key), key, body });
}

function notificationOf({ publisherId, eventType, priority, payload, context = {} }: Notification, at: Date): Wire {
  return {
    message_id: randomUUID(),
    publisher_id: publisherId,
    event_type: eventType,
    priority: priority.toUpperCase(),
    payload,
    timestamp: pythonTime(at),
    ...packContext(context),
    _unique_id: hexId(),
  };
}

/** "2026-08-01 12:00:00.123000", UTC. */
function pythonTime(at: Date): string {
  return `${at.toISOString().slice(0, -1).replace('T', ' ')}000`;
}
