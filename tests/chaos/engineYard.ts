import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server, ServerRequest } from '../../driver/clouds/compute/port';
import { createFakeEngine, type FakeEngine } from '../support/engine';

/**
 * A compute service in the test's own process, over HTTP, whose servers are engines that call any health-manager there
 * is, for as long as they live. Workers and housekeeping reach it by `remoteCompute`.
 */
export interface EngineYard {
  readonly url: string;
  /** By engine id. */
  readonly engines: ReadonlyMap<string, FakeEngine>;
  /** Where engines call from now on, instead of where their workers said. */
  callAt(controllers: readonly string[]): void;
  stop(): Promise<void>;
}

interface Built {
  readonly server: Server;
  readonly engine: FakeEngine;
  readonly end: AbortController;
}

const HEARTBEAT = 500;

export async function openEngineYard(): Promise<EngineYard> {
  const built = new Map<string, Built>();
  const engines = new Map<string, FakeEngine>();
  let controllers: readonly string[] = [];

  const build = ({ engineId, name, token }: ServerRequest): Server => {
    const known = built.get(engineId);
    if (known) return known.server;
    const server: Server = { id: engineId, engineId, name, status: 'ACTIVE', managementAddress: null, host: null };
    const engine = createFakeEngine({ id: engineId, token });
    const end = new AbortController();
    built.set(engineId, { server, engine, end });
    engines.set(engineId, engine);
    void keepCalling(engine, () => controllers, end.signal);
    return server;
  };
  const destroy = async (id: string): Promise<void> => {
    const found = built.get(id);
    built.delete(id);
    engines.delete(id);
    found?.end.abort();
    await found?.engine.disconnect();
  };
  const http = createServer((req, res) => {
    answer(req, { build, destroy, list: () => [...built.values()].map(({ server }) => server) }).then(
      (body) => reply(res, 200, body),
      (error: unknown) => reply(res, 500, String(error)),
    );
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    engines,
    callAt: (urls) => {
      controllers = urls;
    },
    async stop() {
      await Promise.all([...built.keys()].map(destroy));
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** As an agent does: whenever it has no connection it tries the next controller. */
async function keepCalling(engine: FakeEngine, controllers: () => readonly string[], end: AbortSignal): Promise<void> {
  for (let turn = 0; !end.aborted; turn += 1) {
    const urls = controllers();
    const url = urls[turn % Math.max(1, urls.length)];
    if (url !== undefined && !engine.connected) {
      const connected = await engine.connect(url).then(
        () => engine.connected,
        () => false,
      );
      if (connected && !end.aborted) engine.beat(HEARTBEAT);
    }
    while (engine.connected && !end.aborted) await sleep(50);
    await engine.disconnect();
    await sleep(100);
  }
}

interface Yard {
  readonly build: (request: ServerRequest) => Server;
  readonly destroy: (id: string) => Promise<void>;
  readonly list: () => readonly Server[];
}

async function answer(req: IncomingMessage, yard: Yard): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  if (req.method === 'GET') return yard.list();
  if (req.method === 'DELETE') return yard.destroy(decodeURIComponent((req.url ?? '').slice('/servers/'.length)));
  return yard.build(JSON.parse(Buffer.concat(chunks).toString('utf8')) as ServerRequest);
}

function reply(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? null));
}
