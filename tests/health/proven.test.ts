import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { WebSocket } from 'ws';
import { createSecureDialer } from '../../driver/agent/link/dialer';
import { FromController, type Held, type Hello } from '../../driver/protocol/messages';
import { openTestDatabase } from '../support/database';
import { type AddedEngine, addEngine, addListener, addLoadBalancer, addPlacement } from '../support/fleetRows';
import { type SecureHealth, startSecureHealth } from '../support/secureHealth';
import { waitUntil } from '../support/wait';

/** An engine is who its certificate says, and gets nothing that is not its own. */

let health: SecureHealth;
let directory: string;
const sockets: WebSocket[] = [];
beforeEach(async () => {
  health = await startSecureHealth(openTestDatabase);
  directory = mkdtempSync(join(tmpdir(), 'ss-proven-'));
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await health.close();
  rmSync(directory, { recursive: true, force: true });
});

const newEngine = () => addEngine(health.db, health.groupId, { management_address: '127.0.0.1' });

async function connect(url: string, engine: AddedEngine): Promise<{ socket: WebSocket; received: FromController[] }> {
  const dialer = await createSecureDialer({
    ...{ engineId: engine.id, token: engine.token, caFingerprint: health.authority.fingerprint },
    ...{ stateDir: directory, log: pino({ level: 'silent' }), now: () => performance.now() },
  });
  const socket = new WebSocket(url, (await dialer.prepare(url)).options);
  sockets.push(socket);
  const received: FromController[] = [];
  socket.on('message', (data) => received.push(FromController.parse(JSON.parse(String(data)))));
  await once(socket, 'open');
  return { socket, received };
}

const helloOf = (engineId: string, held: Held[] = []): Hello => ({
  ...{ type: 'hello', versions: [3], engineId, token: '', bootId: 'boot', agentVersion: 'test', daemons: {}, held },
  ...{ managesNetworks: false, networksDigest: null },
});

it('turns away an engine that says it is another one, and tells which it was', async () => {
  const { url } = await health.start();
  const [liar, other] = [await newEngine(), await newEngine()];
  const { socket } = await connect(url, liar);

  socket.send(JSON.stringify(helloOf(other.id)));

  const [code, reason] = await once(socket, 'close');
  expect([code, String(reason)]).toEqual([1008, 'its certificate is that of another engine']);
  expect(await health.waitForEvent('ENGINE_IMPERSONATION')).toContain(`${liar.id} said it was ${other.id}`);
  const row = await health.db('service_engine').where({ id: other.id }).first();
  expect(row).toMatchObject({ status: 'BUILDING', connection_epoch: 0 });
});

it('sends an engine nothing of load balancers that are on another one, whatever it says it holds', async () => {
  const { url } = await health.start();
  const [asker, owner] = [await newEngine(), await newEngine()];
  const [own, foreign] = [await addLoadBalancer(health.db), await addLoadBalancer(health.db)];
  for (const id of [own, foreign]) await addListener(health.db, id);
  await addPlacement(health.db, { loadBalancerId: own, engineId: asker.id });
  await addPlacement(health.db, { loadBalancerId: foreign, engineId: owner.id });
  const { socket, received } = await connect(url, asker);

  const held = { id: foreign, generation: 0, epoch: 0, digest: 'old', refusals: [], lacking: ['all'] };
  socket.send(JSON.stringify(helloOf(asker.id, [held])));

  await waitUntil('it has its own and is told to forget the other', 20_000, () => {
    const put = received.some((it) => it.type === 'put' && it.spec.id === own);
    return put && received.some((it) => it.type === 'remove' && it.id === foreign);
  });
  expect(received.flatMap((it) => (it.type === 'put' ? [it.spec.id] : []))).toEqual([own]);
});

it('lets who has no certificate no further than the door', async () => {
  const { url } = await health.start();
  const socket = new WebSocket(url, { rejectUnauthorized: false });
  sockets.push(socket);

  const [error] = await once(socket, 'error');

  expect(String(error)).toContain('400');
});
