import type { Config } from './config';

/** Where notifications go; only if a driver that sends is configured. */
export interface NotificationSettings {
  readonly formats: readonly ('messagingv2' | 'messaging')[];
  readonly topics: readonly string[];
  readonly transportUrl: string;
}

/** Undefined when nothing is to be sent, or there is no broker to send it to. */
export function notificationSettings({
  oslo_messaging_notifications: given,
  DEFAULT: common,
}: Pick<Config, 'oslo_messaging_notifications' | 'DEFAULT'>): NotificationSettings | undefined {
  const formats = given.driver.filter((it) => it === 'messagingv2' || it === 'messaging');
  const transportUrl = given.transport_url || common.transport_url;
  if (formats.length === 0 || given.topics.length === 0 || transportUrl.startsWith('memory:')) return undefined;
  return { formats, topics: given.topics, transportUrl };
}
