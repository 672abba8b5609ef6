import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { openLocalCompute } from '../../driver/clouds/compute/local';
import { createNoopCompute } from '../../driver/clouds/compute/noop';
import { startNovaOverHttp } from '../support/simulators/novaOverHttp';
import { type ComputeTwin, describeComputeDriver } from './computeSuite';

const NOOP: ComputeTwin = {
  name: 'noop',
  open: async () => ({ driver: createNoopCompute(), close: async () => undefined }),
};
const NOVA: ComputeTwin = { name: 'nova', open: () => startNovaOverHttp() };
const LOCAL: ComputeTwin = {
  name: 'local',
  open: async () => {
    const root = mkdtempSync(join(tmpdir(), 'compute-'));
    const driver = await openLocalCompute({
      command: [process.execPath, join(__dirname, '../support/simulators/agentStub.cjs')],
      stateDir: join(root, 'servers'),
      runDir: join(root, 'run'),
      controllers: ['ws://127.0.0.1:5555'],
      log: pino({ level: 'silent' }),
      timings: { restartDelay: 20, pollInterval: 20, endTimeout: 2000 },
    });
    return {
      driver,
      async close() {
        for (const { id } of await driver.listServers()) await driver.deleteServer(id);
        await driver.stop({ keepServing: false });
        rmSync(root, { recursive: true, force: true });
      },
    };
  },
};

for (const twin of [NOOP, LOCAL, NOVA]) describeComputeDriver(twin);
