import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '../domain/errors';
import { type Db, dbNow, nowPlus } from './connect';

/** Runs work that nobody else of this installation does on one of these ports meanwhile. */
export type PortLock = <T>(portIds: readonly string[], work: () => Promise<T>) => Promise<T>;

export interface PortLockTerms {
  /** How long a holder that died keeps others waiting. Longer than the work. */
  readonly seconds: number;
  /** How long one waits for the others. */
  readonly patience: number;
}

const TERMS: PortLockTerms = { seconds: 30, patience: 20 };
/** Milliseconds between two tries, the latter half by chance. */
const TRY_AFTER = 60;

/**
 * By a mark in the rows of the vNICs, for lists that can only be written whole. Ports are taken in one order everywhere, so
 * that nobody waits in a circle; a port without row is nobody's, and free. What a holder that was thought dead still writes
 * is found by the audit.
 */
export function createPortLock(db: Db, { seconds, patience }: PortLockTerms = TERMS): PortLock {
  return async (portIds, work) => {
    const owner = randomUUID();
    const ports = [...new Set(portIds)].sort();
    try {
      for (const port of ports) await takePort(db, port, { owner, seconds, patience });
      return await work();
    } finally {
      await db('se_vnic').where({ wiring_owner: owner }).update({ wiring_owner: null, wiring_until: null });
    }
  };
}

async function takePort(
  db: Db,
  port: string,
  { owner, seconds, patience }: PortLockTerms & { owner: string },
): Promise<void> {
  const until = performance.now() + patience * 1_000;
  for (;;) {
    const taken = await db('se_vnic')
      .where({ port_id: port })
      .where((free) => void free.whereNull('wiring_owner').orWhere('wiring_until', '<', dbNow(db)))
      .update({ wiring_owner: owner, wiring_until: nowPlus(db, seconds) });
    if (taken > 0) return;
    if ((await db('se_vnic').where({ port_id: port }).first('id')) === undefined) return;
    if (performance.now() > until) throw new UnavailableError(`port ${port} is in other hands for long`);
    await sleep(TRY_AFTER / 2 + (TRY_AFTER / 2) * Math.random());
  }
}
