import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { createPace } from '../../../driver/clouds/openstack/pace';
import { type OpenstackService, openOpenstackService } from '../../../driver/clouds/openstack/service';
import { issue } from '../../support/certificates/issue';
import { waitUntil } from '../../support/wait';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

type Options = Partial<Parameters<typeof openOpenstackService>[0]['options']>;

function open(url: string, options: Options = {}): OpenstackService {
  const service = openOpenstackService({
    name: 'Nova',
    types: ['compute'],
    session: { token: async () => 'token', endpoint: async () => url },
    options: { region_name: null, endpoint_type: 'public', ca_certificates_file: null, insecure: false, ...options },
    log: pino({ level: 'silent' }),
  });
  closers.push(() => service.close());
  return service;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

it('makes so many calls at a time and no more, and all of them in the end', async () => {
  const held: (() => void)[] = [];
  const port = await listen(
    createServer((_req, res) => {
      held.push(() => void res.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
    }),
  );
  const service = open(`http://127.0.0.1:${port}`);
  let most = 0;
  let answered = 0;
  const calls = Array.from({ length: 50 }, () => service.call({ method: 'GET', path: '/x' }));

  while (answered < 50) {
    await waitUntil('calls are held', 30_000, () => held.length >= Math.min(16, 50 - answered));
    most = Math.max(most, held.length);
    for (const answer of held.splice(0)) {
      answer();
      answered += 1;
    }
  }

  expect((await Promise.all(calls)).every(({ status }) => status === 200)).toBe(true);
  expect(most).toBe(16);
});

it('lets a burst through and spreads what comes after it, in order', async () => {
  let time = 0;
  const waits: number[] = [];
  const turn = createPace({ perSecond: 10, burst: 3 }, { now: () => time, wait: async (ms) => waits.push(ms) });

  for (let call = 0; call < 5; call += 1) await turn();
  expect(waits).toEqual([100, 200]);

  // After a while without any, a burst goes again.
  time = 10_000;
  waits.length = 0;
  for (let call = 0; call < 4; call += 1) await turn();
  expect(waits).toEqual([100]);
});

describe('over TLS', () => {
  let folder: string;
  let url: string;
  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'ss-manners-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    const ca = await issue({ cn: 'CA', isCa: true });
    const { pem, keyPem } = await issue({ cn: 'nova', dnsNames: ['localhost'], issuer: ca });
    writeFileSync(path.join(folder, 'ca.pem'), ca.pem);
    const server = createTlsServer({ cert: pem, key: keyPem }, (_req, res) => void res.end('{}'));
    url = `https://localhost:${await listen(server)}`;
  });

  it('believes a certificate of the CA it is given, or any if told so', async () => {
    for (const options of [{ ca_certificates_file: path.join(folder, 'ca.pem') }, { insecure: true }]) {
      await expect(open(url, options).call({ method: 'GET', path: '/' })).resolves.toMatchObject({ status: 200 });
    }
  });

  it('does not believe others', async () => {
    await expect(open(url).call({ method: 'GET', path: '/' })).rejects.toMatchObject({
      name: 'UnavailableError',
      cause: expect.objectContaining({ message: expect.stringMatching(/certificate/i) }),
    });
  });
});
