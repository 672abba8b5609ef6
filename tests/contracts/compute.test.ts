import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { openLocalCompute } from '../../driver/clouds/compute/local';
import { createNoopCompute } from '../../driver/clouds/compute/noop';
import type { ComputeDriver, ServerRequest } from '../../driver/clouds/compute/port';
import { startNovaOverHttp } from '../support/simulators/novaOverHttp';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

interface Twin {
  readonly name: string;
  readonly open: () => Promise<ComputeDriver>;
}

const NOOP: Twin = { name: 'noop', open: async () => createNoopCompute() };
const NOVA: Twin = {
  name: 'nova',
  open: async () => {
    const { driver, close } = await startNovaOverHttp();
    closers.push(close);
    return driver;
  },
};
const LOCAL: Twin = {
  name: 'local',
  open: async () => {
    const root = mkdtempSync(join(tmpdir(), 'compute-'));
    const compute = await openLocalCompute({
      command: [process.execPath, join(__dirname, '../support/simulators/agentStub.cjs')],
      stateDir: join(root, 'servers'),
      runDir: join(root, 'run'),
      controllers: ['ws://127.0.0.1:5555'],
      log: pino({ level: 'silent' }),
      timings: { restartDelay: 20, pollInterval: 20, endTimeout: 2000 },
    });
    closers.push(async () => {
      for (const { id } of await compute.listServers()) await compute.deleteServer(id);
      await compute.stop({ keepServing: false });
      rmSync(root, { recursive: true, force: true });
    });
    return compute;
  },
};

const aRequest = (change: Partial<ServerRequest> = {}): ServerRequest => {
  const engineId = randomUUID();
  return {
    engineId,
    name: `slipstream-${engineId.slice(0, 8)}`,
    token: 't0ken',
    controllers: ['ws://127.0.0.1:5555'],
    groupId: 'group-1',
    ...change,
  };
};

describe.each([NOOP, LOCAL, NOVA])('a compute driver ($name)', ({ open }) => {
  let driver: ComputeDriver;
  beforeEach(async () => {
    driver = await open();
  });

  it('lists the servers it has made, each with the id of its engine', async () => {
    const [one, other] = [aRequest(), aRequest()];
    const made = [await driver.createServer(one), await driver.createServer(other)];

    const listed = await driver.listServers();

    expect(listed).toHaveLength(2);
    for (const [index, { engineId, name }] of [one, other].entries()) {
      expect(listed).toContainEqual(expect.objectContaining({ id: made[index]?.id, engineId, name }));
    }
  });

  it('tells of a server that is up', async () => {
    const { engineId } = aRequest();
    await driver.createServer(aRequest({ engineId }));

    const [server] = await driver.listServers();

    expect(server).toMatchObject({ engineId, status: 'ACTIVE' });
  });

  it('deletes one server and leaves the others', async () => {
    const gone = await driver.createServer(aRequest());
    const stays = await driver.createServer(aRequest());

    await driver.deleteServer(gone.id);

    expect((await driver.listServers()).map(({ id }) => id)).toEqual([stays.id]);
  });

  it('takes a second deletion of a server, and one of an unknown server, as done', async () => {
    const { id } = await driver.createServer(aRequest());

    await driver.deleteServer(id);
    await driver.deleteServer(id);
    await driver.deleteServer(randomUUID());

    expect(await driver.listServers()).toEqual([]);
  });
});
