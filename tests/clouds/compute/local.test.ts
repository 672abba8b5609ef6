import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative as pathFrom } from 'node:path';
import pino from 'pino';
import { type LocalCompute, type LocalComputeDeps, openLocalCompute } from '../../../driver/clouds/compute/local';
import { identifyProcess } from '../../../driver/clouds/compute/processes';
import { openServerFiles } from '../../../driver/clouds/compute/serverFiles';
import { waitUntil } from '../../support/simulators/waitUntil';

const STUB = join(__dirname, '../../support/simulators/agentStub.cjs');
const URL = 'ws://127.0.0.1:5555';

let root: string;
const opened: LocalCompute[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'compute-'));
});
afterEach(async () => {
  // Those who look after the agents leave first, or they would bring back what the last one deletes.
  await Promise.all(opened.splice(0).map((compute) => compute.stop({ keepServing: true })));
  const last = await open();
  for (const { id } of await last.listServers()) await last.deleteServer(id);
  await last.stop({ keepServing: false });
  rmSync(root, { recursive: true, force: true });
});

async function open(deps: Partial<LocalComputeDeps> = {}): Promise<LocalCompute> {
  const compute = await openLocalCompute({
    command: [process.execPath, STUB],
    stateDir: join(root, 'servers'),
    runDir: join(root, 'run'),
    controllers: [URL],
    log: pino({ level: 'silent' }),
    timings: { restartDelay: 20, pollInterval: 20, endTimeout: 2000 },
    ...deps,
  });
  opened.push(compute);
  return compute;
}

const request = (change: object = {}) => ({
  engineId: 'e-1',
  name: 'se-1',
  token: 't0ken',
  controllers: [URL],
  ...change,
});
const pathOf = (name: string) => join(root, 'servers', 'e-1', name);
const events = () => {
  const path = pathOf('state/events');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
};
const pid = (): number => JSON.parse(readFileSync(pathOf('server.json'), 'utf8')).process?.pid;
const isGone = (id: number) => identifyProcess(id) === undefined;

it('boots an agent that finds engine, token and controllers in its file, and lists it', async () => {
  const compute = await open();

  const server = await compute.createServer(request());

  expect(server).toMatchObject({
    id: 'e-1',
    engineId: 'e-1',
    name: 'se-1',
    status: 'ACTIVE',
    managementAddress: '127.0.0.1',
  });
  await waitUntil(() => events().length === 1);
  expect(events()).toEqual([`started t0ken ${URL}`]);
  expect(await compute.listServers()).toEqual([server]);
});

it('keeps the token out of the command line and out of the reach of others', async () => {
  await (await open()).createServer(request());

  expect(readFileSync(`/proc/${pid()}/cmdline`, 'utf8')).not.toContain('t0ken');
  expect(readFileSync(`/proc/${pid()}/environ`, 'utf8')).not.toContain('t0ken');
  expect(statSync(pathOf('agent.json')).mode & 0o077).toBe(0);
});

it('answers a second creation for the engine with the server that is there', async () => {
  const compute = await open();
  const first = await compute.createServer(request());
  const before = pid();

  const second = await compute.createServer(request());

  expect(second).toEqual(first);
  expect(pid()).toBe(before);
  expect(await compute.listServers()).toHaveLength(1);
});

it('puts one agent in the place of one that is told something new, and takes its end for no accident', async () => {
  const warnings: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const compute = await open({ log });
  await compute.createServer(request());
  await waitUntil(() => events().length === 1);

  await compute.createServer(request({ token: 'new' }));
  await waitUntil(() => events().length === 2);

  expect(events()[1]).toBe(`started new ${URL}`);
  expect(warnings).toEqual([]);
});

it('brings a killed agent back within a second', async () => {
  const compute = await open({ timings: {} });
  await compute.createServer(request());
  const before = pid();
  const killedAt = performance.now();

  process.kill(before, 'SIGKILL');
  await waitUntil(() => pid() !== before);

  expect(performance.now() - killedAt).toBeLessThan(1000);
  expect((await compute.listServers())[0]?.status).toBe('ACTIVE');
});

it('waits longer and longer before it restarts an agent that dies at once', async () => {
  const waits: number[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void waits.push(JSON.parse(line).restartInMs) });
  const compute = await open({ command: [process.execPath, STUB, '--fail'], log });

  await compute.createServer(request());
  await waitUntil(() => waits.length >= 4);

  expect(waits.slice(0, 4)).toEqual([20, 40, 80, 160]);
});

it('tries again when the program cannot be started at all', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  const compute = await open({ command: ['/nonexistent/agent'], log });

  const server = await compute.createServer(request());
  await waitUntil(() => lines.length >= 2);

  expect(server.status).toBe('BUILD');
  expect(lines[0]).toContain('ENOENT');
});

it('ends the agent when the server is deleted, and forgets it', async () => {
  const compute = await open();
  await compute.createServer(request());
  await waitUntil(() => events().length === 1);
  const agent = pid();

  await compute.deleteServer('e-1');

  expect(isGone(agent)).toBe(true);
  expect(existsSync(pathOf(''))).toBe(false);
  expect(await compute.listServers()).toEqual([]);
  await expect(compute.deleteServer('e-1')).resolves.toBeUndefined();
});

it('kills an agent that does not heed SIGTERM', async () => {
  const compute = await open({
    command: [process.execPath, STUB, '--stubborn'],
    timings: { endTimeout: 100, restartDelay: 20 },
  });
  await compute.createServer(request());
  await waitUntil(() => events().length === 1);
  const agent = pid();

  await compute.stop({ keepServing: false });

  expect(events()).toContain('ignored');
  expect(isGone(agent)).toBe(true);
});

it('ends the agents at a stop and starts them again at the next start', async () => {
  const first = await open();
  await first.createServer(request());
  await waitUntil(() => events().length === 1);

  await first.stop({ keepServing: false });
  expect(events().at(-1)).toBe('ended');

  const second = await open();
  await waitUntil(() => events().length === 3);
  expect((await second.listServers()).map(({ name, status }) => [name, status])).toEqual([['se-1', 'ACTIVE']]);
});

it('adopts the agent of a site that was killed, and looks after it', async () => {
  const first = await open();
  await first.createServer(request());
  await waitUntil(() => events().length === 1);
  const agent = pid();
  await first.stop({ keepServing: true });

  const second = await open();
  expect(pid()).toBe(agent);
  expect((await second.listServers())[0]?.status).toBe('ACTIVE');
  expect(events()).toHaveLength(1);

  process.kill(agent, 'SIGKILL');
  await waitUntil(() => pid() !== agent && !isGone(pid()));
});

it('finds an agent whose pid was never recorded, and starts no second one', async () => {
  const first = await open();
  await first.createServer(request());
  await waitUntil(() => events().length === 1);
  const agent = pid();
  await first.stop({ keepServing: true });
  const { process: _unrecorded, ...record } = JSON.parse(readFileSync(pathOf('server.json'), 'utf8'));
  writeFileSync(pathOf('server.json'), JSON.stringify(record));

  const second = await open();
  await second.stop({ keepServing: false });

  expect(isGone(agent)).toBe(true);
  expect(events()).toEqual([expect.stringMatching(/^started/), 'ended']);
});

it('does not take a stranger with a recycled pid for its agent', async () => {
  const first = await open();
  await first.createServer(request());
  await waitUntil(() => events().length === 1);
  await first.stop({ keepServing: false });
  const record = JSON.parse(readFileSync(pathOf('server.json'), 'utf8'));
  writeFileSync(pathOf('server.json'), JSON.stringify({ ...record, process: { ...record.process, pid: process.pid } }));

  const second = await open();

  expect(pid()).not.toBe(process.pid);
  await waitUntil(() => events().length === 3);
  await second.stop({ keepServing: false });
});

it('replaces an adopted agent without SIGTERM when the controllers have moved', async () => {
  const first = await open();
  await first.createServer(request());
  await waitUntil(() => events().length === 1);
  const agent = pid();
  await first.stop({ keepServing: true });

  await open({ controllers: ['ws://127.0.0.1:6666'] });

  expect(isGone(agent)).toBe(true);
  await waitUntil(() => events().length === 2);
  expect(events()[1]).toBe('started t0ken ws://127.0.0.1:6666');
});

it('keeps what the agent prints, for its owner alone', async () => {
  const compute = await open();
  await compute.createServer(request());

  await waitUntil(() => readFileSync(pathOf('agent.log'), 'utf8').includes(`agent e-1 of ${URL}`));
  expect(statSync(pathOf('agent.log')).mode & 0o077).toBe(0);
});

it('cuts a log that has grown beyond its bound, and keeps the part before', () => {
  const files = openServerFiles({ stateDir: join(root, 'servers'), runDir: join(root, 'run'), engineId: 'e-1' });
  writeFileSync(files.logPath, 'x'.repeat(11));

  files.boundLog(11);
  expect(statSync(files.logPath).size).toBe(11);
  files.boundLog(10);
  expect(statSync(files.logPath).size).toBe(0);
  expect(readFileSync(`${files.logPath}.1`, 'utf8')).toBe('x'.repeat(11));
});

it('tells the agent absolute directories of its own, and where haproxy is', async () => {
  const relative = (path: string) => pathFrom(process.cwd(), join(root, path));
  const compute = await open({ stateDir: relative('servers'), runDir: relative('run'), haproxyPath: '/opt/haproxy' });

  await compute.createServer(request());

  const config = JSON.parse(readFileSync(pathOf('agent.json'), 'utf8'));
  expect(config).toMatchObject({ engineId: 'e-1', stateDir: pathOf('state'), haproxyPath: '/opt/haproxy' });
  expect(config.runDir).toMatch(new RegExp(`^${join(root, 'run')}/[0-9a-f]{8}$`));
});

it('refuses an engine id that would lead out of its directory', async () => {
  const compute = await open();

  await expect(compute.createServer(request({ engineId: '../e' }))).rejects.toThrow('not an engine id');
});
