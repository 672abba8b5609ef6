import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { WebSocket } from 'ws';
import { createSecureDialer } from '../../driver/agent/link/dialer';
import type { FromController, FromEngine, Held } from '../../driver/protocol/messages';

/**
 * Agents without a data plane, in a process of their own: the real way to a certificate and back, mutual TLS, the real
 * messages. They come back with jitter, as the real ones do. Driven by messages: `{engines, url, fingerprint, directory}` first.
 */
interface Start {
  readonly engines: readonly { readonly id: string; readonly token: string }[];
  readonly url: string;
  readonly fingerprint: string;
  readonly directory: string;
}

/** Milliseconds between two tries, at first and at most. */
const FIRST_TRY = 1_000;
const LAST_TRY = 15_000;
const log = pino({ level: 'silent' });
let connected = 0;

function tell(message: object): void {
  process.send?.(message);
}

async function runAgent(start: Start, engine: { readonly id: string; readonly token: string }): Promise<void> {
  const stateDir = join(start.directory, engine.id);
  mkdirSync(stateDir, { recursive: true });
  const dialer = await createSecureDialer({
    ...{ engineId: engine.id, token: engine.token, caFingerprint: start.fingerprint },
    ...{ stateDir, log, now: () => performance.now() },
  });
  const held = new Map<string, Held>();
  let failures = 0;
  for (;;) {
    const lasted = await talk(start, { engine, held, options: () => dialer.prepare(start.url) }).catch(() => false);
    failures = lasted ? 0 : failures + 1;
    const bound = Math.min(LAST_TRY, FIRST_TRY * 2 ** failures);
    await new Promise((resolve) => setTimeout(resolve, bound * (0.2 + 0.8 * Math.random())));
  }
}

interface Talk {
  readonly engine: { readonly id: string };
  readonly held: Map<string, Held>;
  options(): Promise<{ readonly options: object }>;
}

/** One connection, to its end. True if it came to a welcome. */
async function talk({ url }: Start, { engine, held, options }: Talk): Promise<boolean> {
  const socket = new WebSocket(url, (await options()).options);
  const send = (message: FromEngine): void => socket.send(JSON.stringify(message));
  let beats: NodeJS.Timeout | undefined;
  let seq = 0;
  return new Promise((resolve) => {
    socket.once('open', () =>
      send({
        ...{ type: 'hello', versions: [3], engineId: engine.id, token: '', bootId: engine.id, agentVersion: 'bench' },
        ...{ daemons: {}, held: [...held.values()], managesNetworks: false, networksDigest: null },
      }),
    );
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as FromController;
      if (message.type === 'welcome') {
        connected += 1;
        const beat = (): void => {
          seq += 1;
          const load = { cpuPercent: 20 + 10 * Math.random(), memoryPercent: 30, connections: 100 };
          send({ type: 'heartbeat', seq, load, changed: [] });
        };
        beat();
        beats = setInterval(beat, message.heartbeatInterval);
      }
      if (message.type !== 'put') return;
      const { id, generation, epoch, digest } = message.spec;
      tell({ put: id, at: performance.timeOrigin + performance.now() });
      held.set(id, { id, generation, epoch, digest, refusals: [], lacking: [] });
      send({ type: 'ack', id, generation, epoch, digest, outcome: 'applied', refusals: [] });
    });
    socket.on('error', () => undefined);
    socket.once('close', () => {
      if (beats) connected -= 1;
      clearInterval(beats);
      resolve(beats !== undefined);
    });
  });
}

process.on('message', (message: Start | { readonly count: true }) => {
  if ('count' in message) return tell({ connected });
  for (const engine of message.engines) void runAgent(message, engine);
});
process.once('disconnect', () => process.exit());
