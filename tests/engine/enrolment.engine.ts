import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { addEngine } from '../support/fleetRows';
import { type SecureHealth, startSecureHealth } from '../support/secureHealth';

let health: SecureHealth;
let engines: EngineUnderTest[];
beforeEach(async () => {
  health = await startSecureHealth();
  engines = [];
});
afterEach(async () => {
  await Promise.all(engines.map((engine) => engine.dispose()));
  await health.close();
});

async function newEngine(url: string, columns: Record<string, unknown> = {}): Promise<EngineUnderTest> {
  const row = await addEngine(health.db, health.groupId, { management_address: '127.0.0.1', ...columns });
  const engine = createEngine([url], {
    engineId: row.id,
    token: row.token,
    caFingerprint: health.authority.fingerprint,
  });
  engines.push(engine);
  return engine;
}

const credentialsOf = ({ config }: EngineUnderTest) => {
  const file = join(config.stateDir, 'credentials.json');
  return { mode: statSync(file).mode & 0o777, ...JSON.parse(readFileSync(file, 'utf8')) };
};

it('trades its token for a certificate of a key made on the engine, and serves by it from then on', async () => {
  const { url } = await health.start();
  const engine = await newEngine(url);
  const id = engine.config.engineId;

  await engine.start();

  await health.waitForRow('service_engine', { id, status: 'READY' });
  const { mode, key, certificate } = credentialsOf(engine);
  expect(mode).toBe(0o600);
  expect(key).toContain('PRIVATE KEY');
  expect(new X509Certificate(certificate).checkPrivateKey((await import('node:crypto')).createPrivateKey(key))).toBe(
    true,
  );
  expect(await health.waitForEvent('ENGINE_ENROLLED')).toContain('127.0.0.1');

  await engine.stop({ keepServing: true });
  await health.waitForRow('service_engine', { id, connected_to: null });
  await engine.start();
  await health.waitForRow('service_engine', { id, connection_epoch: 2 });
  expect(await health.events('ENGINE_ENROLLED')).toHaveLength(1);
});
