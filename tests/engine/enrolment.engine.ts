import { createPrivateKey, X509Certificate } from 'node:crypto';
import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentConfig } from '../../driver/agent/config';
import { nowPlus } from '../../driver/db/connect';
import { startBuilding } from '../../driver/db/engines';
import { hashToken } from '../../driver/domain/engine';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { openTestDatabase } from '../support/database';
import { addEngine, columnOf } from '../support/fleetRows';
import { type SecureHealth, startSecureHealth } from '../support/secureHealth';
import { waitUntil } from '../support/wait';

/** How engines get certificates, and all the ways in which somebody else does not: with the real agent. */

const PATIENCE = 40_000;

let health: SecureHealth;
let engines: EngineUnderTest[];
beforeEach(async () => {
  health = await startSecureHealth(openTestDatabase);
  engines = [];
});
afterEach(async () => {
  await Promise.all(engines.map((engine) => engine.dispose()));
  await health.close();
});

function engineOf(url: string, over: Partial<AgentConfig>): EngineUnderTest {
  const engine = createEngine([url], { caFingerprint: health.authority.fingerprint, ...over });
  engines.push(engine);
  return engine;
}

async function newEngine(url: string, columns: Record<string, unknown> = {}): Promise<EngineUnderTest> {
  const row = await addEngine(health.db, health.groupId, { management_address: '127.0.0.1', ...columns });
  return engineOf(url, { engineId: row.id, token: row.token });
}

/** Started and READY. */
async function enrolledEngine(url: string): Promise<EngineUnderTest> {
  const engine = await newEngine(url);
  await engine.start();
  await health.waitForRow('service_engine', { id: engine.config.engineId, status: 'READY' });
  return engine;
}

const credentialsFile = ({ config }: EngineUnderTest) => join(config.stateDir, 'credentials.json');
const credentialsOf = (engine: EngineUnderTest) => JSON.parse(readFileSync(credentialsFile(engine), 'utf8'));
const row = (engine: EngineUnderTest, column: string) =>
  columnOf(health.db, 'service_engine', engine.config.engineId, column);
const isConnected = (engine: EngineUnderTest) => row(engine, 'connected_to').then((it) => it !== null);
const pause = async (engine: EngineUnderTest) => {
  await engine.stop({ keepServing: true });
  await waitUntil('the engine is disconnected', PATIENCE, async () => !(await isConnected(engine)));
};

it('trades its token for a certificate of a key made on the engine, and comes back by it alone', async () => {
  const { url } = await health.start();
  const engine = await enrolledEngine(url);

  const { key, certificate } = credentialsOf(engine);
  expect(statSync(credentialsFile(engine)).mode & 0o777).toBe(0o600);
  expect(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(await health.waitForEvent('ENGINE_ENROLLED')).toContain('127.0.0.1');

  await pause(engine);
  await engine.start();
  await waitUntil('the engine is back', PATIENCE, () => isConnected(engine));
  expect(await health.events('ENGINE_ENROLLED')).toHaveLength(1);
});

it('refuses a token that is used a second time, with another key, and keeps the engine', async () => {
  const { url } = await health.start();
  const engine = await enrolledEngine(url);
  const { engineId, token } = engine.config;

  await engineOf(url, { engineId, token }).start();

  expect(await health.waitForEvent('ENGINE_TOKEN_REUSED')).toContain('a second time');
  expect(await isConnected(engine)).toBe(true);
  expect(await row(engine, 'deleting')).toBe(0);
});

it('gives the same key another certificate while the token lasts: the first answer may have got lost', async () => {
  const { url } = await health.start();
  const engine = await enrolledEngine(url);
  await pause(engine);
  writeFileSync(credentialsFile(engine), JSON.stringify({ ...credentialsOf(engine), certificate: null }));

  await engine.start();

  await waitUntil('the engine is back', PATIENCE, () => isConnected(engine));
  expect(await health.events('ENGINE_ENROLLED')).toHaveLength(2);
});

it('refuses a token that comes from elsewhere, and leaves it to its owner', async () => {
  const { url } = await health.start();
  const stolen = await newEngine(url, { management_address: '192.0.2.10' });

  await stolen.start();

  expect(await health.waitForEvent('ENGINE_TOKEN_STOLEN')).toContain('192.0.2.10');
  expect(await row(stolen, 'token_used_at')).toBeNull();
  expect(await row(stolen, 'status')).toBe('BUILDING');
});

it('refuses a token that has come too late', async () => {
  const { url } = await health.start();
  const late = await newEngine(url, { token_expires_at: nowPlus(health.db, -1) });

  await late.start();

  expect(await health.waitForEvent('ENGINE_TOKEN_EXPIRED')).toContain('expired');
  expect(await row(late, 'status')).toBe('BUILDING');
});

it('replaces an engine that asks again after its disk was replaced, and does not enrol it', async () => {
  const { url } = await health.start();
  const engine = await enrolledEngine(url);
  await pause(engine);
  rmSync(engine.config.stateDir, { recursive: true });

  await engine.start();

  expect(await health.waitForEvent('ENGINE_REBUILT')).toContain('disk was replaced');
  await waitUntil('it is to go', PATIENCE, async () => (await row(engine, 'deleting')) === 1);
  expect(health.hinted).toContain(engine.config.engineId);
  expect(await isConnected(engine)).toBe(false);
});

it('turns the copy of a disk away while its engine is connected, and tells of it', async () => {
  const { url } = await health.start();
  const engine = await enrolledEngine(url);
  const clone = engineOf(url, { engineId: engine.config.engineId, token: engine.config.token });
  cpSync(credentialsFile(engine), join(clone.config.stateDir, 'credentials.json'), { recursive: true });

  await clone.start();

  expect(await health.waitForEvent('ENGINE_CLONED')).toContain('a second agent');
  expect(await isConnected(engine)).toBe(true);
  expect(await row(engine, 'connection_epoch')).toBe(1);
});

it('turns away who uses the key of an engine from another address', async () => {
  const { url } = await health.start();
  const engine = await enrolledEngine(url);
  await pause(engine);
  await health.db('service_engine').where({ id: engine.config.engineId }).update({ management_address: '192.0.2.11' });

  await engine.start();

  expect(await health.waitForEvent('ENGINE_ELSEWHERE')).toContain('127.0.0.1');
  expect(await isConnected(engine)).toBe(false);
});

it('takes engines from any address where addresses are translated on the way', async () => {
  const { url } = await health.start({ config: 'check_engine_address = false' });
  const engine = await newEngine(url, { management_address: '192.0.2.12' });

  await engine.start();

  await waitUntil('the engine is connected', PATIENCE, () => isConnected(engine));
});

it('replaces an engine whose certificate has expired', async () => {
  const { url } = await health.start();
  const engine = await enrolledEngine(url);
  await pause(engine);
  await health.db('engine_certificate').update({ expires_at: nowPlus(health.db, -1) });

  await engine.start();

  expect(await health.waitForEvent('ENGINE_CERTIFICATE_EXPIRED')).toContain('is replaced');
  await waitUntil('it is to go', PATIENCE, async () => (await row(engine, 'deleting')) === 1);
  expect(await isConnected(engine)).toBe(false);
});

it('renews its certificate in time, and the one before it is good for nothing then', async () => {
  const { url } = await health.start({ config: '[certificates]\ncert_validity_time = 12' });
  const engine = await enrolledEngine(url);
  const first = credentialsOf(engine).certificate;

  await waitUntil('it has another certificate', PATIENCE, () => {
    const { certificate } = credentialsOf(engine);
    return certificate !== null && certificate !== first;
  });

  const serial = new X509Certificate(first).serialNumber;
  await waitUntil('the first one is revoked', PATIENCE, async () => {
    const [kept] = await health.db('engine_certificate').where({ serial });
    return kept === undefined;
  });
  await waitUntil('it is connected by the new one', PATIENCE, () => isConnected(engine));
  expect(await health.events('ENGINE_CERTIFICATE_EXPIRED')).toEqual([]);
});

it('cuts the connection of an engine that is deleted, and its certificate is good for nothing', async () => {
  const { url } = await health.start();
  const engine = await enrolledEngine(url);

  await health.db('service_engine').where({ id: engine.config.engineId }).delete();

  expect(await health.waitForEvent('ENGINE_CERTIFICATE_REVOKED')).toContain('revoked');
  expect(await health.db('engine_certificate').select()).toEqual([]);
});

it('enrols with a new token once what it had was revoked', async () => {
  const { url } = await health.start();
  const engine = await enrolledEngine(url);
  await pause(engine);
  const { engineId } = engine.config;
  await startBuilding(health.db, engineId, { tokenHash: hashToken('another'), managementAddress: '127.0.0.1' });

  const again = engineOf(url, { ...engine.config, token: 'another' });
  await again.start();

  await health.waitForRow('service_engine', { id: engineId, status: 'READY' });
  expect(await health.events('ENGINE_ENROLLED')).toHaveLength(2);
});

it('does not talk to a controller that has a certificate of another CA', async () => {
  const { url } = await health.start();
  const row = await addEngine(health.db, health.groupId, { management_address: '127.0.0.1' });
  const other = engineOf(url, { engineId: row.id, token: row.token, caFingerprint: 'ab'.repeat(32) });
  const good = await newEngine(url);

  await other.start();
  await good.start();

  await waitUntil('the other one is connected', PATIENCE, () => isConnected(good));
  expect(await columnOf(health.db, 'service_engine', row.id, 'token_used_at')).toBeNull();
  expect(await columnOf(health.db, 'service_engine', row.id, 'status')).toBe('BUILDING');
});

it('makes a key of its own on a disk that another engine has had', async () => {
  const { url } = await health.start();
  const first = await enrolledEngine(url);
  await pause(first);
  const second = await newEngine(url);
  cpSync(credentialsFile(first), join(second.config.stateDir, 'credentials.json'), { recursive: true });

  await second.start();

  await waitUntil('the second one is connected', PATIENCE, () => isConnected(second));
  expect(credentialsOf(second).engineId).toBe(second.config.engineId);
  expect(credentialsOf(second).key).not.toBe(credentialsOf(first).key);
});
