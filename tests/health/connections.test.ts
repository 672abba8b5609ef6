import pino from 'pino';
import { WebSocket } from 'ws';
import { createMemoryBus } from '../../driver/bus/memory';
import { configFromText } from '../../driver/config/config';
import { hashToken } from '../../driver/domain/engine';
import { createSealer } from '../../driver/domain/sealing';
import { enrolEngine } from '../../driver/health/enrol';
import { runHealthManager } from '../../driver/health/main';
import { Hello } from '../../driver/protocol/messages';
import { createFakeEngine } from '../support/engine';
import { addListener, addLoadBalancer, addPlacement, columnOf } from '../support/fleetRows';
import { type HealthSite, startHealthSite } from '../support/healthSite';
import { waitUntil } from '../support/wait';

let site: HealthSite;
beforeEach(async () => {
  site = await startHealthSite();
});
afterEach(() => site.close());

it('makes an engine that calls READY, and hints those who wait for one', async () => {
  const { url } = await site.start();
  const waiting = await addLoadBalancer(site.db, { settled_generation: 0, provisioning_status: 'PENDING_CREATE' });
  const engine = await site.addEngine();

  await engine.connect(url);

  await site.waitForRow('service_engine', { id: engine.id, status: 'READY', connection_epoch: 1 });
  expect(await columnOf(site.db, 'service_engine', engine.id, 'connected_to')).not.toBeNull();
  expect((await site.events('ENGINE_UP')).map((event) => event.service_engine_id)).toEqual([engine.id]);
  await waitUntil('the waiting one is hinted', 1_000, () => site.hinted.includes(waiting));
});

it.each(['DRAINING', 'DELETING'])('leaves an engine that calls while it is %s as it is', async (status) => {
  const { url } = await site.start();
  const engine = await site.addEngine({ status });

  await engine.connect(url);

  expect(await columnOf(site.db, 'service_engine', engine.id, 'status')).toBe(status);
});

it('turns away who is unknown or has not the token', async () => {
  const { url } = await site.start();
  const known = await site.addEngine();
  const impostor = createFakeEngine({ id: known.id, token: 'guessed' });
  const stranger = createFakeEngine({ id: 'nobody', token: 'guessed' });

  await impostor.connect(url);
  await stranger.connect(url);

  expect(impostor.closeReason).toBe('unknown engine, or not its token');
  expect(stranger.closeReason).toBe(impostor.closeReason);
  expect(await columnOf(site.db, 'service_engine', known.id, 'status')).toBe('BUILDING');
});

it.each([
  ['was sealed', true],
  ['is of before anything was sealed', false],
])('takes a token that %s', async (_when, isSealed) => {
  const sealer = createSealer(['passphrase of the test']);
  const { id } = await site.addEngine();
  const hash = hashToken('its token', isSealed ? { engineId: id, sealer } : undefined);
  await site.db('service_engine').where({ id }).update({ token_hash: hash });
  const say = (token: string) => {
    const words = { type: 'hello', versions: [3], engineId: id, bootId: 'b', agentVersion: '1', daemons: {}, held: [] };
    return enrolEngine(site.db, { hello: Hello.parse({ ...words, token }), proven: null, sealer }, 'manager');
  };

  expect((await say('another one')).kind).toBe('refused');
  expect((await say('its token')).kind).toBe('enrolled');
});

it.each([
  ['no JSON', 'rubbish'],
  ['an unknown type', '{"type":"gossip"}'],
  ['a wrong shape', '{"type":"heartbeat","seq":"one"}'],
  [
    'a second hello',
    '{"type":"hello","versions":[2],"engineId":"e","token":"t","bootId":"b","agentVersion":"1","daemons":{},"held":[]}',
  ],
])('closes the connection on %s', async (_what, text) => {
  const { url } = await site.start();
  const engine = await site.addEngine();
  await engine.connect(url);

  engine.sendText(text);

  await engine.waitFor('the connection is closed', () => !engine.connected && engine.closeReason !== undefined);
  expect(engine.closeReason).toBe('not in the protocol');
});

it('closes a connection that says nothing, or anything before hello', async () => {
  const { url } = await site.start({ handshakeTimeout: 100 });
  const silent = new WebSocket(url);
  const hasty = new WebSocket(url);
  const reasons: string[] = [];
  for (const socket of [silent, hasty]) socket.on('close', (_code, reason) => reasons.push(reason.toString()));
  hasty.on('open', () => hasty.send('{"type":"counters","listeners":[]}'));

  await waitUntil('both are closed', 2_000, () => reasons.length === 2);

  expect(reasons.sort()).toEqual(['no hello came', 'not in the protocol']);
});

it('admits so many handshakes at a time', async () => {
  const { url } = await site.start({ maxHandshakes: 2, handshakeTimeout: 60_000 });
  const sockets = [new WebSocket(url), new WebSocket(url)];
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('open', resolve))));

  const turnedAway = await new Promise<number | undefined>((resolve) => {
    const third = new WebSocket(url);
    third.once('error', () => undefined);
    third.once('unexpected-response', (_request, response) => resolve(response.statusCode));
  });

  expect(turnedAway).toBe(503);
  for (const socket of sockets) socket.terminate();
  const engine = await site.addEngine();
  await waitUntil('there is room again', 2_000, () =>
    engine.connect(url).then(
      () => true,
      () => false,
    ),
  );
});

it('lets the newest connection of an engine win', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine();
  await engine.connect(url);
  const twin = createFakeEngine({ id: engine.id, token: `token of ${engine.id}` });

  await twin.connect(url);

  await engine.waitFor('the older one is closed', () => !engine.connected);
  expect(twin.connected).toBe(true);
  expect(await columnOf(site.db, 'service_engine', engine.id, 'connection_epoch')).toBe(2);
  await twin.disconnect();
});

it('sends a returning engine only what differs', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine();
  await engine.connect(url);
  const [same, changed, gone] = [
    await addLoadBalancer(site.db),
    await addLoadBalancer(site.db),
    await addLoadBalancer(site.db),
  ];
  for (const lb of [same, changed, gone]) await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
  await waitUntil('all are confirmed', 3_000, () => engine.held.size === 3);
  await site.waitForNoRow('placement', { confirmed_generation: -1 });

  await engine.disconnect();
  await site.waitForRow('service_engine', { id: engine.id, connected_to: null });
  await site.db('load_balancer').where({ id: changed }).update({ generation: 2 });
  await site.db('placement').where({ load_balancer_id: changed }).update({ wanted_generation: 2 });
  await site.db('placement').where({ load_balancer_id: gone }).delete();
  await engine.connect(url);
  await site.waitForRow('placement', { load_balancer_id: changed, confirmed_generation: 2 });
  await engine.waitFor('the third is removed', () => !engine.held.has(gone));

  expect(engine.puts(same)).toHaveLength(1);
  expect(engine.puts(changed).map(({ generation }) => generation)).toEqual([1, 2]);
});

it('takes what a returning engine holds as confirmed, and looks at its content', async () => {
  const engine = await site.addEngine();
  const first = await site.start();
  await engine.connect(first.url);
  const lb = await addLoadBalancer(site.db);
  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
  await site.waitForRow('placement', { id: placement, confirmed_generation: 1 });
  await first.stop();

  await site.db('placement').where({ id: placement }).update({ confirmed_generation: -1 });
  const listener = await addListener(site.db, lb);
  engine.behave({ answers: false });
  const second = await site.start();
  await engine.connect(second.url);

  await site.waitForRow('placement', { id: placement, confirmed_generation: 1 });
  await engine.waitFor('the new content is sent', () => engine.puts(lb).length === 2);
  expect(engine.puts(lb)[1]?.listeners.map(({ id }) => id)).toEqual([listener]);
});

it('hands its engines back when it stops', async () => {
  const manager = await site.start();
  const engine = await site.addEngine();
  await engine.connect(manager.url);

  await manager.stop();

  expect(engine.connected).toBe(false);
  expect(await columnOf(site.db, 'service_engine', engine.id, 'connected_to')).toBeNull();
  expect(await columnOf(site.db, 'service_engine', engine.id, 'status')).toBe('READY');
});

it('does not listen where others could reach it', async () => {
  const log = pino({ level: 'silent' });
  const bus = createMemoryBus({ log });
  const starting = runHealthManager({
    config: configFromText('[health_manager]\nbind_ip = 0.0.0.0\nbind_port = 0'),
    db: site.db,
    bus,
    log,
  });

  await expect(starting).rejects.toThrow('[health_manager] bind_ip: 0.0.0.0 is not a loopback address');
  await bus.close();
});
