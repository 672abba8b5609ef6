import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type AuthMode, fixedTokens, type TokenService } from './contrail/auth';
import { Database } from './contrail/database';
import { type ContrailFaults, createFaults } from './contrail/faults';
import { keystoneTokens } from './contrail/keystoneTokens';
import { addBasics, addProject } from './contrail/projects';
import { createContrailServer, type SeenRequest } from './contrail/server';
import type { Site } from './contrail/site';
import { type ContrailStore, createStore } from './contrail/store';
import { startTransformer } from './contrail/transformer';
import { watchChanges } from './contrail/watch';

export { FIXED_TOKENS } from './contrail/auth';
export type { ContrailFaults } from './contrail/faults';
export type { SeenRequest } from './contrail/server';
export type { ContrailChange, ContrailLink, ContrailObject, ContrailStore } from './contrail/store';

/**
 * A Contrail configuration API server with its schema transformer and its neutron backend, on a loopback port. It answers
 * as the recorded real one does (`npm run check:exchanges`).
 */
export interface ContrailSimulator {
  readonly url: string;
  readonly store: ContrailStore;
  readonly faults: ContrailFaults;
  /** All that was asked, in the order of the answers. */
  readonly requests: readonly SeenRequest[];
  /** A project that Keystone knows: Contrail makes it its own when somebody asks for it, or at once. */
  addProject(project: { readonly id: string; readonly name: string }, given?: { readonly atOnce?: boolean }): void;
  close(): Promise<void>;
}

export interface ContrailOptions {
  /** Default: any free one. */
  readonly port?: number;
  /** Default: none. */
  readonly auth?: AuthMode;
  /** Who validates tokens and knows projects; without it the tokens are `FIXED_TOKENS`. */
  readonly keystoneUrl?: string;
  /** Milliseconds the schema transformer takes; also how long a port must be there before it may join a BGPaaS. */
  readonly settle?: number;
  /** Milliseconds, by which the age of ports is told; default: the clock. */
  readonly now?: () => number;
}

/** As long as the recorded one took. */
const USUAL_SETTLE = 200;

export async function startContrailSimulator(options: ContrailOptions = {}): Promise<ContrailSimulator> {
  const { port = 0, auth = 'none', keystoneUrl, settle = USUAL_SETTLE, now = Date.now } = options;
  const db = new Database();
  const site: Site = { db, newUuid: randomUUID, now };
  const faults = createFaults(db);
  const added: { id: string; name: string }[] = [];
  const tokens: TokenService = keystoneUrl === undefined ? fixedTokens(added) : keystoneTokens(keystoneUrl);
  const seen: SeenRequest[] = [];
  const transformer = startTransformer(site, faults, settle);
  addBasics(site);
  const server = createContrailServer({
    ...{ site, faults, seen, tokens, keystone: tokens, mode: { auth } },
    watch: (request, response) => watchChanges(db, request, response),
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    store: createStore(db),
    faults,
    requests: seen,
    addProject(project, { atOnce = false } = {}) {
      added.push({ ...project });
      if (atOnce) addProject(site, project);
    },
    close: () =>
      new Promise((resolve) => {
        transformer.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
