import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { type Bus, ENGINES_TOPIC, HINTS_TOPIC } from '../../driver/bus/port';
import type { Certificates } from '../../driver/clouds/certificates/port';
import { configFromText } from '../../driver/config/config';
import type { Db } from '../../driver/db/connect';
import { runHealthManager } from '../../driver/health/main';
import type { HealthSettings } from '../../driver/health/settings';
import { openTestDatabase } from './database';
import { createFakeEngine, type FakeEngine } from './engine';
import { type AddedEngine, addEngine, addGroup } from './fleetRows';
import { waitUntil } from './wait';

/** Health-managers on a database of their own, with fake engines, and everything they hint. */
export interface HealthSite {
  readonly db: Db;
  readonly bus: Bus;
  readonly groupId: string;
  /** Load balancers hinted so far, in order. */
  readonly hinted: string[];
  /** Starts a health-manager and gives its URL. */
  start(settings?: Partial<HealthSettings>, certificates?: Certificates): Promise<StartedManager>;
  /** A row, and the engine that goes with it. */
  addEngine(columns?: Record<string, unknown>, kind?: { readonly managesNetworks?: boolean }): Promise<FakeEngine>;
  /** As a worker does when it has changed a placement. */
  hint(engineId: string, loadBalancerId: string): Promise<void>;
  events(name: string): Promise<{ message: string; resource_id: string | null; service_engine_id: string | null }[]>;
  waitForRow(table: string, where: Record<string, unknown>): Promise<void>;
  waitForNoRow(table: string, where: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

export interface StartedManager {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Everything at a tenth of its time or less, so that a test sees time-outs soon. Silence is judged late, since an engine
 * of a test says nothing by itself: tests about silence ask for SHORT_SILENCE.
 */
export const QUICK: Partial<HealthSettings> = {
  heartbeatInterval: 50,
  heartbeatTimeout: 20_000,
  startGrace: 800,
  flushInterval: 60,
  compareInterval: 100,
  ackTimeout: 1_000,
  reviewInterval: 6_000,
};

/** For tests about engines that fall silent. Milliseconds. */
export const SHORT_SILENCE = { heartbeatTimeout: 1_500 } as const;

export async function startHealthSite(): Promise<HealthSite> {
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const db = await openTestDatabase();
  const bus = createMemoryBus({ log });
  const groupId = await addGroup(db);
  const hinted: string[] = [];
  await bus.subscribe(HINTS_TOPIC, ({ method, args }) => {
    if (method === 'load_balancer') hinted.push(String(args['id']));
  });
  const managers = new Set<StartedManager>();
  const engines: FakeEngine[] = [];
  const count = async (table: string, where: Record<string, unknown>): Promise<number> => {
    const rows: unknown[] = await db(table).where(where).select('*');
    return rows.length;
  };
  return {
    db,
    bus,
    groupId,
    hinted,
    async start(settings = {}, certificates) {
      const running = await runHealthManager({
        config: configFromText('[health_manager]\nbind_port = 0'),
        db,
        bus,
        log,
        settings: { ...QUICK, ...settings },
        ...(certificates && { certificates }),
      });
      const manager: StartedManager = {
        url: running.url ?? '',
        stop: async () => {
          managers.delete(manager);
          await running.close();
        },
      };
      managers.add(manager);
      return manager;
    },
    async addEngine(columns = {}, kind = {}) {
      const row: AddedEngine = await addEngine(db, groupId, columns);
      const engine = createFakeEngine(row, kind);
      engines.push(engine);
      return engine;
    },
    hint: (engineId, loadBalancerId) =>
      bus.broadcast(ENGINES_TOPIC, {
        method: 'placements',
        args: { engine_id: engineId, load_balancer_id: loadBalancerId },
      }),
    events: (name) => db('event').where({ name }).orderBy('at').select('message', 'resource_id', 'service_engine_id'),
    waitForRow: (table, where) =>
      waitUntil(`${table} is ${JSON.stringify(where)}`, 20_000, async () => (await count(table, where)) > 0),
    waitForNoRow: (table, where) =>
      waitUntil(`no ${table} is ${JSON.stringify(where)}`, 20_000, async () => (await count(table, where)) === 0),
    async close() {
      await Promise.all(engines.map((engine) => engine.disconnect()));
      await Promise.all([...managers].map((manager) => manager.stop()));
      await bus.close();
      await db.destroy();
    },
  };
}
