import type { Request, RequestHandler, Response } from 'express';
import { BadRequestError } from '../../driver/domain/errors';
import { type ApiRequest, type Exchange, exchangeOf, type Handler, type Reply } from '../exchange';
import { methodNotAllowed, noSuchRoute } from '../faults';
import type { RouteTable } from '../openapi/routeTable';
import type { Handlers, OperationId } from '../resources/deps';

/** Finds the operation of the document that a request means, or says why there is none. */
export function route(table: RouteTable): RequestHandler {
  return (req, res, next) => {
    const exchange = exchangeOf(res);
    const matched = table(exchange.path);
    if (!matched)
      throw isBelowObject(table, exchange.path) && req.method !== 'GET' ? methodNotAllowed([]) : noSuchRoute();
    if (!matched.operations[req.method]) {
      // A PUT or DELETE of a collection is taken for one of an object whose id is missing.
      const isChild = ['PUT', 'DELETE'].includes(req.method) && table(`${exchange.path}/id`)?.operations[req.method];
      throw isChild ? new BadRequestError('Missing argument: "id"') : methodNotAllowed(Object.keys(matched.operations));
    }
    exchange.route = matched;
    next();
  };
}

/** Octavia's router takes an unknown word behind an object for a method of that object. */
function isBelowObject(table: RouteTable, path: string): boolean {
  return table(path.slice(0, path.lastIndexOf('/')))?.template.endsWith('}') ?? false;
}

/** What comes before the body is read: the query of a change, and the parent that the path names. */
export function prepare(handlers: Handlers): RequestHandler {
  return async (req, res, next) => {
    const exchange = exchangeOf(res);
    const handler = handlerOf(handlers, req, exchange);
    if (req.method !== 'GET') checkArguments(exchange.query, handler.queryArguments ?? []);
    if (handler.before) await handler.before({ params: exchange.route?.params ?? {}, log: exchange.log });
    next();
  };
}

function checkArguments(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name)) throw new BadRequestError(`Unknown argument: "${name}"`);
  }
}

/** Runs the operation's handler and sends what it answers. */
export function dispatch(handlers: Handlers): RequestHandler {
  return async (req, res) => {
    const exchange = exchangeOf(res);
    const reply = await handlerOf(handlers, req, exchange).handle(requestOf(req, res, exchange));
    if (showsMonitors(req, exchange)) sendMonitors(res, reply);
    else send(res, reply);
  };
}

function handlerOf(handlers: Handlers, req: Request, { route: matched }: Exchange): Handler {
  const id = matched?.operations[req.method]?.operationId as OperationId | undefined;
  if (!id) throw noSuchRoute();
  return handlers[id];
}

function requestOf(req: Request, res: Response, exchange: Exchange): ApiRequest {
  const { identity, route: matched } = exchange;
  if (!identity) throw new Error('authentication goes before dispatch');
  let controller: AbortController | undefined;
  return {
    params: matched?.params ?? {},
    query: exchange.query,
    url: exchange.url,
    body: req.body as unknown,
    identity,
    token: req.get('X-Auth-Token') ?? req.get('X-Storage-Token') ?? '',
    requestId: exchange.requestId,
    log: exchange.log,
    prefers(types) {
      res.vary('Accept');
      return req.accepts([...types]) || (types[0] ?? '');
    },
    // Made on demand: reads have no use for it.
    get gone() {
      if (!controller) {
        const made = new AbortController();
        controller = made;
        const abort = (): void => {
          if (!res.writableFinished) made.abort();
        };
        if (res.closed) abort();
        else res.once('close', abort);
      }
      return controller.signal;
    },
  };
}

/** Their own paths, and the request that is answered with a whole tree. */
function showsMonitors({ method }: Request, { route: matched }: Exchange): boolean {
  const template = matched?.template ?? '';
  return template.includes('/healthmonitors') || (method === 'POST' && template.endsWith('/loadbalancers'));
}

/**
 * `http_version` is a float in Octavia's answers: what prints them reads 1.0, where JavaScript writes 1. Inside a string
 * of JSON this key cannot stand, for its quotes would be escaped.
 */
function sendMonitors(res: Response, reply: Reply): void {
  const text = reply.body === undefined ? '' : JSON.stringify(reply.body);
  const floats = text.replace(/"http_version":1(?=[,}])/g, '"http_version":1.0');
  if (floats === text) send(res, reply);
  else res.status(reply.status).type('application/json').send(floats);
}

function send(res: Response, { status, body, file }: Reply): void {
  res.status(status);
  if (file) res.type(file.type).send(file.content);
  else if (body === undefined) res.end();
  else res.json(body);
}
