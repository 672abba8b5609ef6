import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import type { Bus } from '../driver/bus/port';
import type { Certificates } from '../driver/clouds/certificates/port';
import type { ContrailDriver } from '../driver/clouds/contrail/port';
import type { TokenValidator } from '../driver/clouds/keystone/port';
import type { NetworkDriver } from '../driver/clouds/network/port';
import type { Config } from '../driver/config/config';
import type { Db } from '../driver/db/connect';
import type { RunningProcess } from '../driver/domain/process';
import type { Introspection } from '../driver/trace/collect/collect';
import { createApp } from './app';
import { openChanges } from './changes/open';
import { changeSettings, edgeSettings, traceSettings } from './configured';
import { type Authenticate, keystoneIdentity, noauthIdentity } from './middleware/authenticate';
import { rememberTokens } from './middleware/rememberTokens';
import { openPolicy } from './policy/open';

/** What the API process runs on. */
export interface ApiParts {
  readonly config: Config;
  readonly db: Db;
  readonly bus: Bus;
  readonly network: NetworkDriver;
  /** Absent: references to certificates are taken as they are. */
  readonly certificates?: Certificates;
  /** With `network_driver = contrail`: what traces read there. */
  readonly vnc?: Pick<ContrailDriver, 'survey'>;
  /** What traces ask control-nodes and vRouters by; absent: they are not asked. */
  readonly introspect?: Introspection;
  /** Needed unless `auth_strategy` is noauth. */
  readonly tokens?: TokenValidator;
  readonly log: Logger;
  /** Collects the metrics that `/metrics` shows; the process's own by default. */
  readonly registry?: Registry;
}

/** Tokens of some thousand users at once; beyond that Keystone is asked again. */
const MAX_TOKENS = 10_000;

/**
 * Runs the REST API until it is closed.
 * @throws Error when it may not or cannot listen where the configuration says
 */
export async function runApi(parts: ApiParts): Promise<RunningProcess> {
  const { config, db, bus, network, certificates, log } = parts;
  const authenticate = chooseIdentity(parts);
  const { policy, close: closePolicy } = await openPolicy(config, log);
  // Octavia's noop_cert_manager takes references as they are.
  const looksAtThem = config.certificates.cert_manager !== 'noop_cert_manager';
  const clouds = { network, ...(certificates && looksAtThem && { certificates }) };
  const changes = await openChanges({ db, bus, ...clouds, log, settings: changeSettings(config) });
  const app = createApp({
    db,
    authenticate,
    policy,
    commands: changes.deps,
    settings: edgeSettings(config),
    log,
    registry: parts.registry ?? new Registry(),
    trace: { contrail: parts.vnc, introspect: parts.introspect, settings: traceSettings(config) },
  });
  const server = createServer(app);
  // A client that takes its time, or never ends its headers, must not hold a connection for ever.
  Object.assign(server, { headersTimeout: 20_000, requestTimeout: 120_000, keepAliveTimeout: 75_000 });
  const url = await listen(server, config.api_settings.bind_host, config.api_settings.bind_port);
  log.info({ url }, 'the API is up');
  return {
    url,
    close: async () => {
      const patience = config.DEFAULT.graceful_shutdown_timeout * 1000;
      // Those who wait for a load balancer are told that it is busy while there is time for an answer.
      const ending = setTimeout(() => changes.deps.waiters.end(), patience / 2);
      await drain(server, patience);
      clearTimeout(ending);
      await changes.close();
      await closePolicy();
    },
  };
}

function chooseIdentity({ config, tokens }: ApiParts): Authenticate {
  const { auth_strategy: strategy, bind_host: host, noauth_allow_remote: allowRemote } = config.api_settings;
  if (strategy === 'keystone') {
    if (!tokens) throw new Error('auth_strategy = keystone needs a Keystone');
    const {
      token_cache_time: ttl,
      service_token_roles: roles,
      service_token_roles_required: required,
    } = config.keystone_authtoken;
    return keystoneIdentity(rememberTokens(tokens, { ttl, maxTokens: MAX_TOKENS }), { roles, required });
  }
  if (!isLoopback(host) && !allowRemote) {
    throw new Error(
      `auth_strategy = noauth believes every caller and listens on loopback only, not on ${host} (noauth_allow_remote)`,
    );
  }
  return noauthIdentity;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    const refuse = ({ message }: Error) => reject(new Error(`The API cannot listen on ${host}:${port}: ${message}`));
    server.once('error', refuse);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', refuse);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

/** No new connections, idle ones closed, requests in flight answered; after a while the rest is cut off. */
async function drain(server: Server, patience: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), patience);
  await closed;
  clearTimeout(timer);
}
