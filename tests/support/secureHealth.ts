import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { type Bus, HINTS_TOPIC } from '../../driver/bus/port';
import { configFromText } from '../../driver/config/config';
import type { Db } from '../../driver/db/connect';
import type { RunningProcess } from '../../driver/domain/process';
import { runHealthManager } from '../../driver/health/main';
import type { HealthSettings } from '../../driver/health/settings';
import type { Authority } from '../../driver/pki/authority';
import { openOwnAuthority } from '../../driver/pki/files';
import { addGroup } from './fleetRows';
import { waitUntil } from './wait';

/** Health-managers that speak mutual TLS, on a database and a CA of their own. */
export interface SecureHealth {
  readonly db: Db;
  readonly bus: Bus;
  readonly groupId: string;
  readonly authority: Authority;
  /** Engines that workers were asked to look at. */
  readonly hinted: string[];
  start(options?: StartOptions): Promise<{ readonly url: string; stop(): Promise<void> }>;
  events(name: string): Promise<{ message: string; service_engine_id: string | null }[]>;
  waitForEvent(name: string): Promise<string>;
  waitForRow(table: string, where: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

export interface StartOptions {
  readonly settings?: Partial<HealthSettings>;
  /** More options of `[health_manager]`, and other sections. */
  readonly config?: string;
  /** Another than the site's. */
  readonly authority?: Authority;
}

const PATIENCE = 30_000;

/** So that a test sees soon what takes seconds. Milliseconds. */
const QUICK: Partial<HealthSettings> = {
  flushInterval: 60,
  loadWindow: 400,
  compareInterval: 100,
  heartbeatTimeout: 20_000,
};

/** @param openDatabase gives a migrated one: `openTestDatabase` in tests, which is not known outside jest */
export async function startSecureHealth(openDatabase: () => Promise<Db>): Promise<SecureHealth> {
  const directory = mkdtempSync(join(tmpdir(), 'ss-health-'));
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const db = await openDatabase();
  const bus = createMemoryBus({ log });
  const hinted: string[] = [];
  await bus.subscribe(HINTS_TOPIC, ({ method, args }) => {
    if (method === 'engine') hinted.push(String(args['id']));
  });
  const authority = await openOwnAuthority(directory);
  const running = new Set<RunningProcess>();
  const events: SecureHealth['events'] = (name) =>
    db('event').where({ name }).orderBy('at').select('message', 'service_engine_id');
  return {
    ...{ db, bus, authority, hinted, events },
    groupId: await addGroup(db),
    async start({ settings = {}, config = '', authority: other = authority } = {}) {
      const manager = await runHealthManager({
        config: configFromText(`[health_manager]\nbind_port = 0\n${config}`),
        ...{ db, bus, log, authority: other },
        settings: { ...QUICK, ...settings },
      });
      running.add(manager);
      const stop = async (): Promise<void> => {
        running.delete(manager);
        await manager.close();
      };
      return { url: manager.url ?? '', stop };
    },
    async waitForEvent(name) {
      await waitUntil(`an event ${name}`, PATIENCE, async () => (await events(name)).length > 0);
      return (await events(name))[0]?.message ?? '';
    },
    waitForRow: (table, where) =>
      waitUntil(`${table} is ${JSON.stringify(where)}`, PATIENCE, async () => {
        const rows: unknown[] = await db(table).where(where).select('*');
        return rows.length > 0;
      }),
    async close() {
      await Promise.all([...running].map((it) => it.close()));
      await bus.close();
      await db.destroy();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
