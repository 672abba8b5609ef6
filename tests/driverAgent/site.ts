import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { type BusMessage, SETTLED_TOPIC } from '../../driver/bus/port';
import { createNoopNetwork } from '../../driver/clouds/network/noop';
import type { NetworkDriver } from '../../driver/clouds/network/port';
import { configFromText } from '../../driver/config/config';
import type { Db } from '../../driver/db/connect';
import { runDriverAgent } from '../../driver/driverAgent/main';

export type SocketName = 'status' | 'stats' | 'get';

/** A driver agent on sockets of its own, for the providers `theirs` and `ovn`. */
export interface DriverAgentSite {
  socket(name: SocketName): string;
  /** Sends bytes as they are and gives what comes back; "" when the connection ends without an answer. */
  exchange(name: SocketName, text: string): Promise<string>;
  /** One request as octavia-lib frames it. */
  ask(name: SocketName, request: unknown): Promise<Record<string, unknown>>;
  /** Ports that were deleted. */
  readonly deletedPorts: readonly string[];
  /** Load balancers of which it was told that they settled. */
  readonly settled: readonly string[];
  stop(): Promise<void>;
}

/** @param text more lines of `[driver_agent]` */
export async function startDriverAgent(db: Db, text = ''): Promise<DriverAgentSite> {
  const folder = mkdtempSync(join(tmpdir(), 'ss-da-'));
  const socket = (name: SocketName): string => join(folder, 'run', `${name}.sock`);
  const paths = (['status', 'stats', 'get'] as const).map((name) => `${name}_socket_path = ${socket(name)}`);
  const config = configFromText(['[driver_agent]', 'external_providers = theirs, ovn', ...paths, text].join('\n'));
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const bus = createMemoryBus({ log });
  const settled: string[] = [];
  await bus.subscribeBroadcast(SETTLED_TOPIC, (message: BusMessage) => void settled.push(message.loadBalancerId ?? ''));
  const deletedPorts: string[] = [];
  const network: NetworkDriver = {
    ...createNoopNetwork(),
    acceptsAnything: false,
    deletePort: async (id) => void deletedPorts.push(id),
  };
  const agent = await runDriverAgent({ config, db, bus, network, log });
  const exchange = (name: SocketName, bytes: string): Promise<string> => exchangeBytes(socket(name), bytes);
  return {
    socket,
    exchange,
    ask: async (name, request) => {
      const json = JSON.stringify(request);
      const answer = await exchange(name, `${Buffer.byteLength(json)}\n${json}`);
      const [size = '', body = ''] = [answer.slice(0, answer.indexOf('\n')), answer.slice(answer.indexOf('\n') + 1)];
      if (Number(size) !== Buffer.byteLength(body)) throw new Error(`not framed: ${answer}`);
      return JSON.parse(body) as Record<string, unknown>;
    },
    deletedPorts,
    settled,
    stop: async () => {
      await agent.close();
      await bus.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function exchangeBytes(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const connection = createConnection(path, () => connection.write(text));
    connection.on('data', (chunk) => chunks.push(chunk));
    connection.on('error', reject);
    connection.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}
