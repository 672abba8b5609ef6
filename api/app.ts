import express, { type Express, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Db } from '../driver/db/connect';
import type { TraceDeps } from '../driver/trace/collect/collect';
import type { CommandDeps } from './changes/deps';
import { docs } from './docs/serve';
import { exchangeOf } from './exchange';
import { type Authenticate, authentication } from './middleware/authenticate';
import { cors } from './middleware/cors';
import { dispatch, prepare, route } from './middleware/dispatch';
import { faults } from './middleware/faults';
import { healthcheck, metrics } from './middleware/health';
import { negotiate } from './middleware/negotiate';
import { observe } from './middleware/observe';
import { readBody, sizeLimit } from './middleware/readBody';
import { requestContext } from './middleware/requestContext';
import { validateBody } from './middleware/validate';
import { loadDocument } from './openapi/document';
import { buildRouteTable } from './openapi/routeTable';
import { createPolicy, type Policy } from './policy/authorize';
import { createHandlers } from './resources/handlers';
import { versionDocument } from './resources/versions/document';
import type { EdgeSettings } from './settings';

export interface AppDeps {
  readonly db: Db;
  readonly authenticate: Authenticate;
  readonly commands: CommandDeps;
  readonly settings: EdgeSettings;
  readonly log: Logger;
  /** The process's own; an app of a test has one to itself. */
  readonly registry: Registry;
  readonly policy?: Policy;
  /** Of traces: clouds beside the network service. Absent: it alone is looked at. */
  readonly trace?: Pick<TraceDeps, 'contrail' | 'introspect' | 'settings'>;
  /** Given, they check every answer against the document (`validateAnswers`): for tests. */
  readonly answerChecks?: readonly RequestHandler[];
}

/** The whole REST application, without a server. */
export function createApp(deps: AppDeps): Express {
  const { db, settings, log, registry } = deps;
  const document = loadDocument();
  const table = buildRouteTable(document);
  const handlers = createHandlers({
    db,
    commands: deps.commands,
    trace: traceDepsOf(deps),
    lists: settings.lists,
    providers: settings.providers,
    policy: deps.policy ?? createPolicy(),
  });
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.use(
    requestContext(log, settings),
    observe(registry),
    sizeLimit(settings.maxBodyBytes),
    cors(settings.allowedOrigins),
    healthcheck({ db, bus: deps.commands.bus }, settings),
    metrics(registry),
    docs(document),
    ...(deps.answerChecks ?? []),
    root,
    authentication(deps.authenticate),
    negotiate(table),
    route(table),
    prepare(handlers),
    readBody(settings.maxBodyBytes),
    ...validateBody(document),
    dispatch(handlers),
    faults(settings.authUri),
  );
  return app;
}

/** Without anything said of it a trace follows rows, the network service and engines. */
function traceDepsOf({ db, commands: { bus, network }, trace }: AppDeps): TraceDeps {
  const settings = { networkDriver: 'neutron', healthCheck: false, managementNetworkIds: [] };
  return { settings, ...trace, db, bus, network };
}

/** The version document needs no token. */
const root: RequestHandler = (req, res, next) => {
  const { path, url } = exchangeOf(res);
  if (path !== '/' || (req.method !== 'GET' && req.method !== 'POST')) return next();
  negotiate()(req, res, (error?: unknown) => {
    if (error) return next(error);
    res.json(versionDocument(url));
  });
};
