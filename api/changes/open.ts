import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type Bus, SETTLED_TOPIC } from '../../driver/bus/port';
import type { Certificates } from '../../driver/clouds/certificates/port';
import type { NetworkDriver } from '../../driver/clouds/network/port';
import type { Db } from '../../driver/db/connect';
import type { CommandDeps } from './deps';
import { createPublisher } from './publisher';
import type { ChangeSettings } from './settings';
import { createWaiters, type WaiterLimits } from './waiters';

/** What the API process has at hand. Clock and ids are injected by tests. */
export interface ChangeParts {
  readonly db: Db;
  readonly bus: Bus;
  readonly network: NetworkDriver;
  readonly certificates?: Certificates;
  readonly settings: ChangeSettings;
  readonly log: Logger;
  readonly clock?: () => Date;
  readonly newId?: () => string;
  readonly waiterLimits?: WaiterLimits;
}

/** The commands' dependencies, and the end of what they hold. */
export interface OpenChanges {
  readonly deps: CommandDeps;
  /** Stops listening and resolves when what was committed is published. */
  close(): Promise<void>;
}

/** Makes the commands ready: who waits for a load balancer is woken by the bus from now on. */
export async function openChanges(parts: ChangeParts): Promise<OpenChanges> {
  const { db, bus, network, certificates, settings, log, clock = () => new Date(), newId = randomUUID } = parts;
  const waiters = createWaiters(parts.waiterLimits);
  const publisher = createPublisher({ db, bus, log });
  const subscription = await bus.subscribeBroadcast(SETTLED_TOPIC, ({ args }) => {
    if (typeof args['id'] === 'string') waiters.wake(args['id']);
  });
  return {
    deps: { db, bus, network, ...(certificates && { certificates }), settings, waiters, publisher, log, clock, newId },
    close: async () => {
      await subscription.close();
      await publisher.idle();
    },
  };
}
