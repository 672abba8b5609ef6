import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { type BootstrapDeps, bootstrap } from '../../driver/agentBootstrap/bootstrap';
import { configDriveDirectory } from '../../driver/agentBootstrap/configDrive';
import { metadataService } from '../../driver/agentBootstrap/metadataService';
import { waitUntil } from '../support/wait';

const META = {
  slipstream_engine: 'engine-1',
  slipstream_controller_0: 'ws://192.0.2.1:5555',
  AVICNTRL_AUTHTOKEN: 'secret',
};
const IDENTITY = { engineId: 'engine-1', controllers: ['ws://192.0.2.1:5555'], token: 'secret' };

let folder: string;
let drive: string;
let lines: { level: number; msg: string; missing?: string[] }[];
let stop: AbortController;
const servers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ss-boot-'));
  drive = join(folder, 'drive');
  lines = [];
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  rmSync(folder, { recursive: true, force: true });
});

function writeDrive(meta: Record<string, string> = META): void {
  mkdirSync(join(drive, 'openstack/latest'), { recursive: true });
  writeFileSync(join(drive, 'openstack/latest/meta_data.json'), JSON.stringify({ uuid: 's', meta }));
}

/** A metadata service; `meta` may change. */
async function serveMetadata(answer: (path: string) => { status: number; body?: unknown }): Promise<string> {
  const server = createServer((req, res) => {
    const { status, body } = answer(req.url ?? '');
    res.writeHead(status).end(body === undefined ? '' : JSON.stringify(body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function start(sources: BootstrapDeps['sources']) {
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const stateDir = join(folder, 'state');
  return bootstrap({ sources, stateDir, log, signal: stop.signal, pause: { first: 5, longest: 20 } });
}

it('reads the config drive, and keeps what it says where nobody else can read it', async () => {
  writeDrive();

  await expect(start([configDriveDirectory(drive)])).resolves.toEqual(IDENTITY);

  const kept = join(folder, 'state/identity.json');
  expect(JSON.parse(readFileSync(kept, 'utf8'))).toEqual(IDENTITY);
  expect(statSync(kept).mode & 0o777).toBe(0o600);
});

it('asks the metadata service where there is no config drive', async () => {
  const url = await serveMetadata((path) =>
    path === '/openstack/latest/meta_data.json' ? { status: 200, body: { meta: META } } : { status: 404 },
  );

  await expect(start([configDriveDirectory(drive), metadataService(`${url}/`)])).resolves.toEqual(IDENTITY);
});

it('goes on asking while nobody tells it anything, and says what is missing', async () => {
  let meta: Record<string, string> | undefined;
  const url = await serveMetadata(() => (meta ? { status: 200, body: { meta } } : { status: 503 }));
  const starting = start([configDriveDirectory(drive), metadataService(url)]);
  const warnings = () => lines.filter(({ level }) => level === 40);
  await waitUntil('it has asked several times', 30_000, () => warnings().length >= 3);

  expect(warnings()[0]?.missing).toEqual([
    expect.stringContaining('has no meta_data.json'),
    expect.stringMatching(/^the metadata service at .* does not answer \(it answers 503\)$/),
  ]);

  meta = { slipstream_engine: 'engine-1' };
  await waitUntil('it says what lacks there', 30_000, () =>
    warnings().some(({ missing }) => missing?.some((it) => it.includes('lacks AVICNTRL_AUTHTOKEN, AVICNTRL'))),
  );
  meta = META;
  await expect(starting).resolves.toEqual(IDENTITY);
});

it('does with what it was told before when nobody answers at a later start', async () => {
  writeDrive();
  await start([configDriveDirectory(drive)]);
  rmSync(drive, { recursive: true });

  await expect(start([configDriveDirectory(drive)])).resolves.toEqual(IDENTITY);
});

it('goes by what its own server is told rather than by the disk it was copied from', async () => {
  writeDrive();
  await start([configDriveDirectory(drive)]);
  writeDrive({ ...META, slipstream_engine: 'engine-2', AVICNTRL_AUTHTOKEN: 'other' });

  await expect(start([configDriveDirectory(drive)])).resolves.toMatchObject({ engineId: 'engine-2', token: 'other' });
  rmSync(drive, { recursive: true });
  await expect(start([configDriveDirectory(drive)])).resolves.toMatchObject({ engineId: 'engine-2' });
});

it('can be ended while it asks', async () => {
  const starting = start([configDriveDirectory(drive)]);
  await waitUntil('it has asked', 30_000, () => lines.length > 0);

  stop.abort();

  await expect(starting).resolves.toBeUndefined();
});
