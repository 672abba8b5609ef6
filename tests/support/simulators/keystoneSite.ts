import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import pino from 'pino';
import type { CatalogService } from '../../../driver/clouds/keystone/catalog';
import { createKeystoneFace } from '../../../driver/clouds/keystone/face';
import type { EmbeddedKeystone, KeystoneDeps } from '../../../driver/clouds/keystone/memory';
import { aKeystone } from './keystone';

/** What a Keystone was asked. */
export interface KeystoneCall {
  readonly method: string;
  readonly url: string;
  readonly token: string | undefined;
  readonly subject: string | undefined;
}

/** A Keystone on a loopback port that can be put into every kind of trouble. */
export interface KeystoneSite {
  /** Without version: `http://127.0.0.1:<port>` and the path it is mounted at. */
  readonly url: string;
  readonly calls: KeystoneCall[];
  /** Who is behind it; a restart puts another one there, which knows none of the tokens. */
  keystone: EmbeddedKeystone;
  /** The services of its catalogue. */
  services: readonly CatalogService[];
  /** Set, it answers instead of the Keystone; undefined from it lets the Keystone answer. */
  trouble: ((...call: Parameters<RequestListener>) => unknown) | undefined;
  /** The calls that log in. */
  logins(): readonly KeystoneCall[];
  /** The calls that ask about a token. */
  questions(): readonly KeystoneCall[];
  /** Nobody listens any more; connections are cut. */
  stop(): Promise<void>;
  /** Listens again at the same address, with a Keystone that remembers nothing. */
  restart(): Promise<void>;
}

export async function startKeystone(
  options: { readonly mount?: string; readonly keystone?: Partial<KeystoneDeps> } = {},
): Promise<KeystoneSite> {
  const { mount = '' } = options;
  const app = express();
  const calls: KeystoneCall[] = [];
  let server: Server | undefined;
  const serve = async (port: number): Promise<number> => {
    const started = createServer(app);
    await new Promise<void>((resolve, reject) => {
      started.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    server = started;
    return (started.address() as AddressInfo).port;
  };
  const port = await serve(0);

  const site: KeystoneSite = {
    url: `http://127.0.0.1:${port}${mount}`,
    calls,
    keystone: aKeystone(options.keystone),
    services: [],
    trouble: undefined,
    logins: () => calls.filter(({ method }) => method === 'POST'),
    questions: () => calls.filter(({ subject }) => subject !== undefined),
    stop: () =>
      new Promise((resolve) => {
        server?.close(() => resolve());
        server?.closeAllConnections();
      }),
    async restart() {
      site.keystone = aKeystone(options.keystone);
      await serve(port);
    },
  };
  app.use((req, res, next) => {
    const { method, url } = req;
    calls.push({ method, url, token: req.get('X-Auth-Token'), subject: req.get('X-Subject-Token') });
    if (site.trouble?.(req, res) === undefined) next();
  });
  app.use(mount || '/', (req, res, next) => {
    const log = pino({ level: 'silent' });
    createKeystoneFace({ keystone: site.keystone, services: () => site.services, log })(req, res, next);
  });
  return site;
}

/** An answer for `trouble`. */
export function answerWith(status: number, body = '{}', headers: Record<string, string> = {}) {
  return (...[, res]: Parameters<RequestListener>): object =>
    res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body);
}
