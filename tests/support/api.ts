import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createApp } from '../../api/app';
import { type OpenChanges, openChanges } from '../../api/changes/open';
import type { ChangeSettings } from '../../api/changes/settings';
import { changeSettings, edgeSettings } from '../../api/configured';
import { type Authenticate, noauthIdentity } from '../../api/middleware/authenticate';
import { validateAnswers } from '../../api/middleware/validate';
import { loadDocument } from '../../api/openapi/document';
import type { EdgeSettings } from '../../api/settings';
import { createMemoryBus } from '../../driver/bus/memory';
import type { Bus } from '../../driver/bus/port';
import type { Certificates } from '../../driver/clouds/certificates/port';
import { createNoopNetwork } from '../../driver/clouds/network/noop';
import type { NetworkDriver } from '../../driver/clouds/network/port';
import { configFromText } from '../../driver/config/config';
import type { Db } from '../../driver/db/connect';
import { openTestDatabase } from './database';

/** What an answer of the API under test was. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

export interface RequestOptions {
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The API on a database of its own, with no-op drivers and `noauth`: nothing settles unless the test makes it. */
export interface TestApi {
  readonly db: Db;
  readonly bus: Bus;
  readonly network: NetworkDriver;
  readonly url: string;
  readonly changes: OpenChanges;
  request(method: string, path: string, options?: RequestOptions): Promise<ApiResponse>;
  get(path: string, headers?: RequestOptions['headers']): Promise<ApiResponse>;
  post(path: string, body: unknown, headers?: RequestOptions['headers']): Promise<ApiResponse>;
  put(path: string, body: unknown, headers?: RequestOptions['headers']): Promise<ApiResponse>;
  delete(path: string, headers?: RequestOptions['headers']): Promise<ApiResponse>;
  /** POST that must succeed; gives the object without its root. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  create(path: string, root: string, body: object): Promise<any>;
  /** What a worker does when all is well: everything pending becomes ACTIVE, what is being deleted goes. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface TestApiOptions {
  /** The caller's own, which it closes itself. */
  readonly db?: Db;
  /** Where its own database comes from: SQLite in memory unless given. */
  readonly open?: () => Promise<Db>;
  readonly network?: NetworkDriver;
  /** Absent: references to certificates are taken as they are. */
  readonly certificates?: Certificates;
  readonly authenticate?: Authenticate;
  readonly changes?: Partial<ChangeSettings>;
  readonly edge?: Partial<EdgeSettings>;
}

/** The project of requests that name none. */
export const PROJECT = '11111111-1111-4111-8111-111111111111';
export const OTHER_PROJECT = '22222222-2222-4222-8222-222222222222';

/** Shared by all APIs of a test file: they are slow to make. A request takes out what it has caused. */
const violations: Error[] = [];
const ANSWER_CHECKS = validateAnswers(loadDocument(), (error) => violations.push(error));

/** Starts the API on loopback; every answer is checked against the OpenAPI document. */
export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const config = configFromText('[api_settings]\nauth_strategy = noauth\nimmutable_wait = 0\n');
  const db = options.db ?? (await (options.open ?? openTestDatabase)());
  const log = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' });
  const bus = createMemoryBus({ log });
  const network = options.network ?? createNoopNetwork();
  const settings = { ...changeSettings(config), ...options.changes };
  const clouds = { network, ...(options.certificates && { certificates: options.certificates }) };
  const changes = await openChanges({ db, bus, ...clouds, log, settings });
  const app = createApp({
    db,
    authenticate: options.authenticate ?? noauthIdentity,
    commands: changes.deps,
    settings: { ...edgeSettings(config), ...options.edge },
    log,
    registry: new Registry(),
    answerChecks: ANSWER_CHECKS,
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const request = async (method: string, path: string, sent: RequestOptions = {}): Promise<ApiResponse> => {
    const answer = await send(`${url}${path}`, method, sent);
    const [violation] = violations.splice(0);
    if (violation) throw new Error(`${method} ${path}: the answer is not as documented: ${violation.message}`);
    return answer;
  };
  return {
    db,
    bus,
    network,
    url,
    changes,
    request,
    get: (path, headers) => request('GET', path, headers ? { headers } : {}),
    post: (path, body, headers) => request('POST', path, { body, ...(headers ? { headers } : {}) }),
    put: (path, body, headers) => request('PUT', path, { body, ...(headers ? { headers } : {}) }),
    delete: (path, headers) => request('DELETE', path, headers ? { headers } : {}),
    create: async (path, root, body) => {
      const answer = await request('POST', path, { body: { [root]: body } });
      if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${answer.text}`);
      return answer.body[root];
    },
    settle: () => settleEverything(db),
    close: async () => {
      await closeServer(server);
      await changes.close();
      if (!options.db) await db.destroy();
    },
  };
}

async function send(url: string, method: string, { body, raw, headers }: RequestOptions): Promise<ApiResponse> {
  const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      'x-project-id': PROJECT,
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(text === undefined ? {} : { body: text }),
  });
  const answer = await response.text();
  return { status: response.status, headers: response.headers, text: answer, body: parse(answer) };
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Children first, so that no foreign key stands in the way of a delete. */
const TREE = ['l7rule', 'l7policy', 'member', 'health_monitor', 'listener', 'pool'] as const;

async function settleEverything(db: Db): Promise<void> {
  await db.transaction(async (trx) => {
    const gone = trx('load_balancer').where({ provisioning_status: 'PENDING_DELETE' }).select('id');
    await trx('load_balancer')
      .whereIn('provisioning_status', ['PENDING_CREATE', 'PENDING_UPDATE'])
      .update({ provisioning_status: 'ACTIVE', settled_generation: trx.ref('generation') });
    await detachDeletedPools(trx);
    for (const table of TREE) {
      await trx(table).where({ provisioning_status: 'PENDING_DELETE' }).delete();
      await trx(table)
        .whereIn('provisioning_status', ['PENDING_CREATE', 'PENDING_UPDATE'])
        .update({ provisioning_status: 'ACTIVE' });
    }
    await removeTrees(
      trx,
      (await gone).map(({ id }: { id: string }) => id),
    );
  });
}

async function detachDeletedPools(trx: Db): Promise<void> {
  const deleted = trx('pool').where({ provisioning_status: 'PENDING_DELETE' }).select('id');
  await trx('listener').whereIn('default_pool_id', deleted).update({ default_pool_id: null });
  await trx('member').whereIn('pool_id', deleted.clone()).delete();
  await trx('health_monitor').whereIn('pool_id', deleted.clone()).delete();
  const listeners = trx('listener').where({ provisioning_status: 'PENDING_DELETE' }).select('id');
  const policies = trx('l7policy').whereIn('listener_id', listeners).orWhere({ provisioning_status: 'PENDING_DELETE' });
  await trx('l7rule').whereIn('l7policy_id', policies.clone().select('id')).delete();
  await trx('l7policy').whereIn('listener_id', listeners.clone()).delete();
}

async function removeTrees(trx: Db, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const listeners = trx('listener').whereIn('load_balancer_id', ids).select('id');
  const pools = trx('pool').whereIn('load_balancer_id', ids).select('id');
  const policies = trx('l7policy').whereIn('listener_id', listeners).select('id');
  await trx('l7rule').whereIn('l7policy_id', policies).delete();
  await trx('l7policy').whereIn('listener_id', listeners.clone()).delete();
  await trx('listener').whereIn('load_balancer_id', ids).delete();
  await trx('member').whereIn('pool_id', pools).delete();
  await trx('health_monitor').whereIn('pool_id', pools.clone()).delete();
  await trx('pool').whereIn('load_balancer_id', ids).delete();
  await trx('load_balancer').whereIn('id', ids).update({ provisioning_status: 'DELETED' });
}
