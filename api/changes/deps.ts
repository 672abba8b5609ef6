import type { Logger } from 'pino';
import type { Bus } from '../../driver/bus/port';
import type { Certificates } from '../../driver/clouds/certificates/port';
import type { NetworkDriver } from '../../driver/clouds/network/port';
import type { Db } from '../../driver/db/connect';
import type { Identity } from '../../driver/domain/identity';
import type { Publisher } from './publisher';
import type { ChangeSettings } from './settings';
import type { Waiters } from './waiters';

/** What every command needs; made once a process by `openChanges` (open.ts). */
export interface CommandDeps {
  readonly db: Db;
  readonly bus: Bus;
  readonly network: NetworkDriver;
  /** Absent: references to certificates are taken as they are (`cert_manager = noop_cert_manager`). */
  readonly certificates?: Certificates;
  readonly settings: ChangeSettings;
  readonly waiters: Waiters;
  readonly publisher: Publisher;
  readonly log: Logger;
  readonly clock: () => Date;
  readonly newId: () => string;
}

/** Who asks for a change. */
export interface Caller {
  readonly identity: Identity;
  /** What the caller proved that with, for services that are asked on the caller's behalf; absent under noauth. */
  readonly token?: string;
  /** `req-<uuid>`. */
  readonly requestId: string;
  /** Aborted when the client is gone: a change that waits for its turn then stops waiting. */
  readonly gone?: AbortSignal;
}

/**
 * Reads what the request is answered with, inside the command's transaction and right before its commit, so that the
 * answer shows the PENDING states. `id` is the created or updated object's.
 */
export type Answer<T> = (db: Db, id: string) => Promise<T>;
