import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import type { FoundIdentity } from './identity';
import { logIn } from './login';
import type { OperatorObject } from './objects';

export type Shown = Readonly<Record<string, unknown>>;

/** The operator API, as its commands use it. All throw what the API says when it refuses. */
export interface OperatorClient {
  /** Follows the pages up to `limit` objects. */
  list(object: OperatorObject, query: ListQuery): Promise<readonly Shown[]>;
  /** By id, or by name where there are names. */
  show(object: OperatorObject, nameOrId: string): Promise<Shown>;
  create(object: OperatorObject, fields: Shown): Promise<Shown>;
  change(object: OperatorObject, nameOrId: string, fields: Shown): Promise<Shown>;
  remove(object: OperatorObject, nameOrId: string): Promise<void>;
  /** Asks an object for something; gives what is answered under `root`. */
  ask(path: string, request: { readonly [word: string]: Shown }, root: string): Promise<Shown>;
  get(path: string, root: string): Promise<Shown>;
  /** The id of a load balancer that is named by id or by name. @throws Error when there is none or several of that name */
  loadBalancerId(nameOrId: string): Promise<string>;
  delete(path: string): Promise<void>;
  download(path: string): Promise<Buffer>;
  close(): Promise<void>;
}

export interface ListQuery {
  readonly filters: Readonly<Record<string, string>>;
  readonly limit?: number;
}

/** The API refuses. */
class Refusal extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/** Milliseconds that an answer may take: a change may have to wait for its turn. */
const TIMEOUT = 60_000;

export async function openOperatorClient(found: FoundIdentity): Promise<OperatorClient> {
  const { url: base, token } = await logIn(found);
  const { cacert } = found.identity;
  const dispatcher = new Agent({
    connect: { rejectUnauthorized: !found.insecure, ...(cacert ? { ca: readFileSync(cacert) } : {}) },
    headersTimeout: TIMEOUT,
  });
  const headers = {
    'user-agent': 'slipstream',
    ...(token === undefined ? {} : { 'x-auth-token': token }),
  };
  const send = async (method: Method, path: string, body?: object): Promise<Buffer> => {
    const answer = await request(`${base}/v2/${path}`, {
      method,
      dispatcher,
      headers: body ? { ...headers, 'content-type': 'application/json' } : headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    }).catch((error: Error & { code?: string }) => {
      // What is told of several addresses has no message of its own.
      throw new Error(`the API at ${base} does not answer: ${error.message || error.code}`, { cause: error });
    });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    if (answer.statusCode >= 400) throw new Refusal(faultIn(String(bytes), answer.statusCode), answer.statusCode);
    return bytes;
  };
  const call = async (method: Method, path: string, body?: object): Promise<Shown> => {
    const bytes = await send(method, path, body);
    return bytes.length === 0 ? {} : (JSON.parse(String(bytes)) as Shown);
  };
  return {
    ...createClient((method, path, body) => call(method, `slipstream/${path}`, body)),
    loadBalancerId: (nameOrId) => findLoadBalancer(call, nameOrId),
    delete: async (path) => void (await send('DELETE', `slipstream/${path}`)),
    download: (path) => send('GET', `slipstream/${path}`),
    close: () => dispatcher.destroy(),
  };
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
type Call = (method: Method, path: string, body?: object) => Promise<Shown>;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Names of load balancers are their users': they need not be unique, and are looked up as users do. */
async function findLoadBalancer(call: Call, nameOrId: string): Promise<string> {
  if (UUID.test(nameOrId)) return nameOrId;
  const query = new URLSearchParams({ name: nameOrId, fields: 'id' });
  const { loadbalancers } = await call('GET', `lbaas/loadbalancers?${query}`);
  const found = loadbalancers as readonly { readonly id: string }[];
  const [only] = found;
  if (!only) throw new Error(`there is no load balancer named ${nameOrId}`);
  if (found.length > 1)
    throw new Error(`there are ${found.length} load balancers named ${nameOrId}: say which by its id`);
  return only.id;
}

function createClient(call: Call): Omit<OperatorClient, 'loadBalancerId' | 'delete' | 'download' | 'close'> {
  const list: OperatorClient['list'] = async ({ path, plural }, { filters, limit }) => {
    const items: Shown[] = [];
    for (;;) {
      const query = new URLSearchParams(filters);
      if (limit !== undefined) query.set('limit', String(limit - items.length));
      const last = items.at(-1);
      if (last) query.set('marker', String(last['id']));
      const page = await call('GET', `${path}?${query}`);
      items.push(...(page[plural] as readonly Shown[]));
      const links = page[`${plural}_links`] as readonly { rel: string }[];
      const isAll = limit !== undefined && items.length >= limit;
      if (isAll || !links.some(({ rel }) => rel === 'next')) return items;
    }
  };
  const show: OperatorClient['show'] = async (object, nameOrId) => {
    try {
      const body = await call('GET', `${object.path}/${encodeURIComponent(nameOrId)}`);
      return body[object.root] as Shown;
    } catch (error) {
      if (!object.named || !(error instanceof Refusal) || error.status !== 404) throw error;
      const [found] = await list(object, { filters: { name: nameOrId } });
      if (!found) throw error;
      return found;
    }
  };
  const pathOf = async (object: OperatorObject, nameOrId: string): Promise<string> =>
    `${object.path}/${(await show(object, nameOrId))['id']}`;
  return {
    list,
    show,
    get: async (path, root) => (await call('GET', path))[root] as Shown,
    ask: async (path, request, root) => (await call('POST', path, request))[root] as Shown,
    create: async ({ path, root }, fields) => (await call('POST', path, { [root]: fields }))[root] as Shown,
    change: async (object, nameOrId, fields) => {
      const body = await call('PUT', await pathOf(object, nameOrId), { [object.root]: fields });
      return body[object.root] as Shown;
    },
    remove: async (object, nameOrId) => {
      await call('DELETE', await pathOf(object, nameOrId));
    },
  };
}

/** The text of a fault, of whichever shape. */
function faultIn(text: string, status: number): string {
  try {
    const body = JSON.parse(text) as { faultstring?: string; description?: string; error?: { message?: string } };
    const said = body.faultstring ?? (body.description || body.error?.message);
    if (said) return `${said} (HTTP ${status})`;
  } catch {
    // No JSON: something in front of the API answers.
  }
  return `the API answers HTTP ${status}`;
}
