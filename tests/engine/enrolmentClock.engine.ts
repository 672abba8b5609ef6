import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentConfig } from '../../driver/agent/config';
import { openTestDatabase } from '../support/database';
import { addEngine } from '../support/fleetRows';
import { type SecureHealth, startSecureHealth } from '../support/secureHealth';

/** Engines whose clocks are wrong: they are told of, and serve all the same. */

const ROOT = join(__dirname, '../..');
const YEAR = 365 * 86_400_000;

let health: SecureHealth;
let directory: string;
let agent: ChildProcess | undefined;
beforeEach(async () => {
  health = await startSecureHealth(openTestDatabase);
  directory = mkdtempSync(join(tmpdir(), 'ss-clk-'));
});
afterEach(async () => {
  if (agent && agent.exitCode === null) {
    const ended = once(agent, 'exit');
    agent.kill('SIGTERM');
    await ended;
  }
  await health.close();
  rmSync(directory, { recursive: true, force: true });
});

it.each([
  ['thirty years behind', -30 * YEAR, 'behind'],
  ['thirty years ahead', 30 * YEAR, 'ahead'],
])('enrols and connects an engine whose clock is %s, and tells of the clock', async (_name, shift, said) => {
  const { url } = await health.start();
  const row = await addEngine(health.db, health.groupId, { management_address: '127.0.0.1' });
  const config: AgentConfig = {
    engineId: row.id,
    token: row.token,
    controllers: [url],
    caFingerprint: health.authority.fingerprint,
    stateDir: join(directory, 'state'),
    runDir: join(directory, 'run'),
  };
  const words = [
    ...['--require', join(ROOT, 'tests/support/shiftedClock.cjs'), join(ROOT, 'devstack/run-ts.cjs')],
    ...[join(ROOT, 'tests/support/agentProcess.ts'), JSON.stringify(config)],
  ];
  agent = spawn(process.execPath, words, { stdio: 'inherit', env: { ...process.env, CLOCK_SHIFT: String(shift) } });

  await health.waitForRow('service_engine', { id: row.id, status: 'READY' });

  expect(await health.waitForEvent('ENGINE_CLOCK_WRONG')).toContain(said);
});
