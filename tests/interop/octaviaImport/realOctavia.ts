import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectDatabase, type Db } from '../../../driver/db/connect';
import { startBenchDatabase } from '../../bench/mariadb';
import { configureOctavia, serveOctavia } from '../../bench/octaviaApi';
import { freePorts } from '../../support/freePorts';

/** Debian's octavia-api on a database of its own, with no worker: what it takes stays PENDING until `settle`. */
export interface RealOctavia {
  readonly db: Db;
  /** URL of its database. */
  readonly connection: string;
  /** A database of ours on the same server. */
  createDatabase(name: string): Promise<string>;
  /** A call of its API that is to succeed; gives the one object that is answered. */
  call(method: string, path: string, body?: object): Promise<Record<string, string>>;
  /** The status it answers. */
  status(method: string, path: string, body?: object): Promise<number>;
  /** What a worker of Octavia would write once everything is done. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

const TABLES = ['load_balancer', 'listener', 'pool', 'member', 'health_monitor', 'l7policy', 'l7rule'];

export async function startRealOctavia(): Promise<RealOctavia> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ss-oi-'));
  const database = await startBenchDatabase(folder);
  const { connection, configFile } = await configureOctavia(folder, database, { transportUrl: 'fake://' });
  const [port = 0] = await freePorts(1);
  const api = await serveOctavia(folder, { connection, configFile, port });
  const db = await connectDatabase(connection);
  const send = (method: string, at: string, body?: object): Promise<Response> =>
    fetch(`${api.url}/v2.0/${at}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
  return {
    db,
    connection,
    createDatabase: (name) => database.create(name, 'utf8mb4 collate utf8mb4_bin'),
    async call(method, at, body) {
      const response = await send(method, at, body);
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${at}: ${response.status} ${text}`);
      return (text === '' ? {} : Object.values(JSON.parse(text) as object)[0]) as Record<string, string>;
    },
    status: async (method, at, body) => (await send(method, at, body)).status,
    async settle() {
      for (const table of TABLES) {
        await db(table)
          .whereIn('provisioning_status', ['PENDING_CREATE', 'PENDING_UPDATE'])
          .update({ provisioning_status: 'ACTIVE' });
      }
    },
    async stop() {
      await db.destroy();
      await api.stop();
      await database.daemon.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
