import { Agent, get, type IncomingHttpHeaders } from 'node:http';

/** The body of one answer, over a connection of its own. Rejects on anything but 200. */
export function fetchOnce(host: string, port: number, headers: Record<string, string> = {}): Promise<string> {
  return request({ host, port, headers, agent: false });
}

/** The status of one answer, over a connection of its own; 0 if there was none. */
export function statusOf(host: string, port: number, path = '/'): Promise<number> {
  return new Promise((resolve) => {
    get({ host, port, path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).once('error', () => resolve(0));
  });
}

/** The headers of one answer. */
export function headersOf(host: string, port: number): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    get({ host, port, agent: false }, (response) => {
      response.resume();
      resolve(response.headers);
    }).once('error', reject);
  });
}

/** Names of the backends that answered `count` requests, with how often. */
export async function spread(host: string, port: number, count: number): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  for (let index = 0; index < count; index += 1) {
    const name = (await fetchOnce(host, port)).trim();
    seen[name] = (seen[name] ?? 0) + 1;
  }
  return seen;
}

export interface LoadResult {
  readonly answered: number;
  /** How many of these had a connection of their own. */
  readonly alone: number;
  readonly failures: readonly string[];
}

export interface Load {
  /** Ends the load; what came of it. */
  stop(): Promise<LoadResult>;
}

/** Requests without a pause by several clients, half of them with a new connection each time. */
export function startLoad(host: string, port: number, clients = 8): Load {
  const failures: string[] = [];
  let answered = 0;
  let alone = 0;
  let stopped = false;
  const run = async (keepAlive: boolean) => {
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    while (!stopped) {
      try {
        await request({ host, port, headers: {}, agent });
        answered += 1;
        if (!keepAlive) alone += 1;
      } catch (error) {
        failures.push(String(error));
      }
    }
    agent.destroy();
  };
  const all = Promise.all(Array.from({ length: clients }, (_, index) => run(index % 2 === 0)));
  return {
    async stop() {
      stopped = true;
      await all;
      return { answered, alone, failures };
    },
  };
}

interface Request {
  readonly host: string;
  readonly port: number;
  readonly headers: Record<string, string>;
  readonly agent: Agent | false;
}

function request(options: Request): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = get(options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.once('error', reject);
      response.once('end', () =>
        response.statusCode === 200 ? resolve(body) : reject(new Error(`status ${response.statusCode}`)),
      );
    });
    sent.once('error', reject);
  });
}
