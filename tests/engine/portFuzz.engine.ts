import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import pino from 'pino';
import { WebSocket } from 'ws';
import { createSecureDialer } from '../../driver/agent/link/dialer';
import { newAuthority } from '../../driver/pki/newAuthority';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { waitUntil } from '../support/wait';

/** Whatever is thrown at the port of engines, its memory is bounded and the engines that are connected notice nothing. */

const ROOT = join(__dirname, '../..');
const PATIENCE = 60_000;
const HANDSHAKE_SECONDS = 2;
const CONFIG = `handshake_timeout = ${HANDSHAKE_SECONDS}\nmax_handshakes = 64\nmax_handshakes_per_address = 16`;

interface Known {
  readonly url: string;
  readonly fingerprint: string;
  readonly engines: readonly { readonly id: string; readonly token: string }[];
}

let server: ChildProcess;
let known: Known;
let port: number;
let directory: string;
let engines: EngineUnderTest[] = [];
/** Bytes before anything was thrown at it. */
let atRest = 0;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ss-fuzz-'));
  const script = join(ROOT, 'tests/support/secureHealthProcess.ts');
  server = fork(join(ROOT, 'devstack/run-ts.cjs'), [script, CONFIG], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [said] = await Promise.race([once(server, 'message'), once(server, 'exit')]);
  if (typeof said !== 'object' || said === null) throw new Error('the health-manager did not start');
  known = said;
  port = Number(new URL(known.url).port);
  await startEngine(0);
  atRest = memory();
}, 120_000);
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.dispose()));
  engines = [];
  const ended = once(server, 'exit');
  if (server.connected) server.disconnect();
  if (server.exitCode === null) await ended;
  rmSync(directory, { recursive: true, force: true });
});

async function startEngine(index: number): Promise<void> {
  const { id = '', token = '' } = known.engines[index] ?? {};
  const engine = createEngine([known.url], { engineId: id, token, caFingerprint: known.fingerprint });
  engines.push(engine);
  await engine.start();
  await waitUntil(`engine ${index} is connected`, PATIENCE, async () => (await rowOf(index)).connected_to !== null);
}

interface Answer {
  readonly row: { readonly connected_to: string | null; readonly connection_epoch: number; readonly status: string };
  readonly foreign: number;
}

async function ask(index: number): Promise<Answer> {
  server.send(known.engines[index]?.id ?? '');
  const [answer] = (await once(server, 'message')) as [Answer];
  return answer;
}
const rowOf = async (index: number) => (await ask(index)).row;

/** The first engine has been served all the time, by one connection. */
async function expectUndisturbed(): Promise<void> {
  const { status, connection_epoch: epoch, connected_to: by } = await rowOf(0);
  expect({ status, epoch, connected: by !== null }).toEqual({ status: 'READY', epoch: 1, connected: true });
}

/** Bytes of the server's process: what it has, or the most it has ever had. */
function memory(which: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(new RegExp(`^${which}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024;
}

const MEGABYTE = 1024 * 1024;
const inMegabytes = (size: number) => `${Math.round(size / MEGABYTE)} MB`;

/** The same bytes at every run. */
function bytes(seed: number, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let count = 0; count * 32 < length; count += 1) {
    parts.push(createHash('sha256').update(`${seed} ${count}`).digest());
  }
  return Buffer.concat(parts).subarray(0, length);
}

function open(localAddress?: string): Socket {
  const socket = connectTcp({ host: '127.0.0.1', port, ...(localAddress && { localAddress }) });
  socket.on('error', () => undefined);
  return socket;
}

function openTls(options: object = {}): TLSSocket {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  socket.on('error', () => undefined);
  return socket;
}

/** Resets are an end, too, which `once` takes for a failure. */
function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** What came until the other end closed. */
async function drain(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (part) => {
    text += part.toString('latin1');
  });
  await ended(socket);
  return text;
}

const UPGRADE =
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const posted = (path: string, body: string | Buffer, length = body.length) =>
  Buffer.concat([
    Buffer.from(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`),
    Buffer.from(body),
  ]);

it('answers no garbage below TLS, and closes what sends it', async () => {
  const garbage = [
    ...Array.from({ length: 40 }, (_, seed) => bytes(seed, 1 + seed * 97)),
    Buffer.from(UPGRADE),
    // A record of TLS that is said to be longer than any may be, and one that never ends.
    Buffer.concat([Buffer.from([0x16, 0x03, 0x01, 0xff, 0xff]), bytes(1, 70_000)]),
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]),
  ];
  for (const part of garbage) {
    const socket = open();
    socket.write(part);
    expect(await drain(socket)).not.toContain('HTTP/1.1 1');
  }
  await expectUndisturbed();
});

it('gives who has no certificate nothing but refusals', async () => {
  const requests: readonly [Buffer, RegExp][] = [
    [Buffer.from(UPGRADE), /^HTTP\/1\.1 400/],
    [Buffer.from('GET /v1/enrol HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 404/],
    [posted('/v1/renew', '{"csr":"x"}'), /^HTTP\/1\.1 400/],
    [posted('/v1/enrol', '{'), /^HTTP\/1\.1 400/],
    [posted('/v1/enrol', '['.repeat(10_000)), /^HTTP\/1\.1 400/],
    [posted('/v1/enrol', '{"engineId":"x","token":"y","csr":"z"}'), /^HTTP\/1\.1 400/],
    [posted('/v1/enrol', bytes(3, 17_000)), /^(HTTP\/1\.1 400|$)/],
    [posted('/v1/enrol', 'x', 1e12), /^$/],
    [Buffer.from(`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), /^$/],
    ...Array.from({ length: 20 }, (_, seed): [Buffer, RegExp] => [bytes(seed, 2_000), /^$/]),
  ];
  for (const [request, expected] of requests) {
    const socket = openTls();
    socket.write(request);
    expect(await drain(socket)).toMatch(expected);
  }
  await expectUndisturbed();
});

it('cuts off who shows a certificate of another CA, before anything is read', async () => {
  const { certificate, key } = await newAuthority('stranger', 1, Date.now());
  const shown = { cert: certificate.toString(), key: key.export({ type: 'pkcs8', format: 'pem' }) };

  const socket = openTls(shown);
  socket.write(UPGRADE);

  expect(await drain(socket)).toBe('');
  await waitUntil('it is told', PATIENCE, async () => (await ask(0)).foreign > 0);
  await expectUndisturbed();
});

it('ends connections that take their time, and takes others from elsewhere meanwhile', async () => {
  const began = Date.now();
  const localAddress = '127.0.0.9';
  const slow = Array.from({ length: 40 }, (_, index) => {
    if (index % 2 === 0) return open(localAddress);
    const socket = openTls({ localAddress });
    socket.write('GET / HTTP/1.1\r\nX-Slow: ');
    return socket;
  });
  const drip = setInterval(() => {
    for (const socket of slow) if ('encrypted' in socket && socket.writable) socket.write('a');
  }, 200);

  await startEngine(1);

  await Promise.all(slow.map(drain));
  clearInterval(drip);
  expect(Date.now() - began).toBeLessThan(PATIENCE);
  await expectUndisturbed();
});

it('closes the connection of an engine whose frames are too long, and keeps nothing of them', async () => {
  const { id = '', token = '' } = known.engines[2] ?? {};
  const log = pino({ level: 'silent' });
  const dialer = await createSecureDialer({
    ...{ engineId: id, token, caFingerprint: known.fingerprint, log },
    stateDir: directory,
    now: () => performance.now(),
  });
  const before = memory();
  for (const length of [2n ** 40n, 2n ** 62n, 65n * 1024n * 1024n]) {
    const { options } = await dialer.prepare(known.url);
    const socket = new WebSocket(known.url, options);
    await once(socket, 'open');
    const header = Buffer.alloc(14);
    header.writeUInt8(0x81, 0);
    header.writeUInt8(0xff, 1);
    header.writeBigUInt64BE(length, 2);
    const raw = (socket as unknown as { _socket: Socket })._socket;
    raw.write(Buffer.concat([header, bytes(5, 100_000)]));
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  }
  expect(memory() - before).toBeLessThan(64 * MEGABYTE);
  await expectUndisturbed();
});

it('bears 10,000 connections without a certificate, and lets another engine in during them', async () => {
  const before = memory();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, memory());
  }, 50);
  const attacker = new AbortController();
  const attack = (async () => {
    for (let count = 0; count < 10_000; count += 200) {
      // From few addresses: who has many needs no more than the bound of all of them.
      const batch = Array.from({ length: 200 }, (_, index) => {
        const localAddress = `127.0.1.${1 + (index % 3)}`;
        return index % 10 === 0 ? openTls({ localAddress }) : open(localAddress);
      });
      await Promise.race([Promise.all(batch.map(ended)), sleep(150)]);
      if (attacker.signal.aborted) return;
    }
  })();

  try {
    await startEngine(3);
    await attack;
  } finally {
    attacker.abort();
    clearInterval(watch);
  }

  console.info(
    `memory of the health-manager: ${inMegabytes(atRest)} with one engine and nothing else, ${inMegabytes(before)} before ` +
      `10,000 connections, ${inMegabytes(peak)} at most during them, ${inMegabytes(memory('VmHWM'))} at most ever`,
  );
  expect(peak - before).toBeLessThan(150 * MEGABYTE);
  await expectUndisturbed();
});
