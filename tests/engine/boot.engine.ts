import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pino from 'pino';
import { ENGINES_TOPIC } from '../../driver/bus/port';
import { openEmbeddedNetwork } from '../../driver/clouds/network/memory';
import { createMemoryStore } from '../../driver/clouds/network/store';
import { findEngine } from '../../driver/db/engines';
import { reconcileEngine } from '../../driver/reconcile/engineUnit';
import { fetchOnce } from '../support/agentTraffic';
import { type Backend, startBackend } from '../support/backend';
import { openTestDatabase } from '../support/database';
import { createFakeCompute } from '../support/fakeCompute';
import { addEngine } from '../support/fleetRows';
import { freePorts } from '../support/freePorts';
import { placeOn, waitUntilConfirmed } from '../support/placed';
import { type SecureHealth, startSecureHealth } from '../support/secureHealth';
import { bootMachine, type VirtualMachine } from '../support/virtualMachine';
import { waitUntil } from '../support/wait';

/**
 * The image of a Service Engine, built and booted under emulation: minutes, so only `npm run test:engine -- --full` runs it.
 * A real health-manager awaits the engine on loopback, which qemu's network has at its second address.
 */
const ROOT = join(__dirname, '../..');
const IMAGE = join(ROOT, 'var/se-image/engine.qcow2');
/** Milliseconds: emulation takes ten times as long as a machine. */
const BOOT = 300_000;
const BUILD = 900_000;
const MANAGEMENT = { id: 'management', macAddress: 'fa:16:3e:10:00:01', cidr: '10.0.2.0/24' };
/** Where qemu's network has the loopback of the host. */
const HOST = '10.0.2.2';
const VNIC_MAC = 'fa:16:3e:10:00:02';
const VIP = '10.1.0.100';
const UNHURRIED = {
  heartbeatInterval: 1000,
  ackTimeout: 60_000,
  networkPatience: 120_000,
  compareInterval: 2000,
  handshakeTimeout: 60_000,
};

jest.setTimeout(Math.max(2 * BOOT, BUILD));

const say = (text: string) => process.stderr.write(`boot of the image: ${text}\n`);

/** Both builds have these times, whatever is committed meanwhile. */
const SOURCE_DATE_EPOCH = String(Math.floor(Date.now() / 1000));

/** Builds the image; gives the hash of its disk. */
async function buildImage(): Promise<string> {
  const started = Date.now();
  const { stderr } = await promisify(execFile)(join(ROOT, 'devstack/build-se-image.sh'), [IMAGE], {
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, SOURCE_DATE_EPOCH },
  });
  const megabytes = Math.round(statSync(IMAGE).size / 1_048_576);
  say(`built in ${Math.round((Date.now() - started) / 1000)} s, ${megabytes} MB`);
  return /sha256 of the disk: (\w+)/.exec(stderr)?.[1] ?? 'none';
}

let hash: string;
let site: SecureHealth;
let machine: VirtualMachine | undefined;
let backend: Backend;

beforeAll(async () => {
  hash = await buildImage();
}, BUILD);
beforeEach(async () => {
  [site, backend] = await Promise.all([startSecureHealth(openTestDatabase), startBackend('behind')]);
});
afterEach(async () => {
  await machine?.dispose();
  machine = undefined;
  await Promise.all([site.close(), backend.stop()]);
});

it('enrols by its config drive, takes a spec and answers HTTP through it, on a vNIC that was plugged in later', async () => {
  const [listening = 0] = await freePorts(1);
  const config = `bind_port = ${listening}\ncontroller_ip_port_list = ${HOST}:${listening}`;
  await site.start({ settings: UNHURRIED, config });
  const columns = { status: 'BUILDING', management_address: '127.0.0.1' };
  const { id, token } = await addEngine(site.db, site.groupId, columns);
  const meta = {
    AVICNTRL: HOST,
    AVICNTRL_AUTHTOKEN: token,
    slipstream_engine: id,
    slipstream_controller_0: `wss://${HOST}:${listening}`,
    slipstream_ca_fingerprint: site.authority.fingerprint,
  };
  const started = Date.now();
  machine = await bootMachine({
    image: IMAGE,
    nics: [MANAGEMENT],
    configDrive: { 'meta_data.json': JSON.stringify({ meta }) },
  });
  await waitUntil('the engine is READY', BOOT, async () => (await findEngine(site.db, id))?.status === 'READY');
  expect(await site.waitForEvent('ENGINE_ENROLLED')).toContain('127.0.0.1');
  say(`READY after ${Math.round((Date.now() - started) / 1000)} s`);

  const placed = await placeOn(site, id, {
    vip: VIP,
    domainId: 'vip-net',
    member: { address: '10.1.0.2', port: backend.port },
    vnic: { macAddress: VNIC_MAC, address: '10.1.0.5/24', gateways: ['10.1.0.2'] },
  });
  const [port = 0] = await freePorts(1);
  await machine.plug({ id: 'data', macAddress: VNIC_MAC, cidr: '10.1.0.0/24', forwards: [{ port, to: `${VIP}:80` }] });
  await site.bus.broadcast(ENGINES_TOPIC, { method: 'networks', args: { engine_id: id } });
  await waitUntilConfirmed(site, placed, BOOT);

  expect(await fetchOnce('127.0.0.1', port)).toBe('behind\n');
  say(`HTTP by its VIP after ${Math.round((Date.now() - started) / 1000)} s`);
});

it('is a ghost without metadata: it says so on its console, and is told of once its time has passed', async () => {
  const { db } = site;
  const { id } = await addEngine(db, site.groupId, { status: 'BUILDING', token_hash: null });
  machine = await bootMachine({ image: IMAGE, nics: [MANAGEMENT] });
  const { console: said } = machine;
  await waitUntil('it says so', BOOT, () => said().includes('this engine does not know who it is'));
  expect(said()).toContain('a config drive (a block device with the label config-2) is not there');

  const { driver } = await openEmbeddedNetwork({ store: createMemoryStore() });
  const clouds = { compute: createFakeCompute(), network: driver };
  const settings = { leaseSeconds: 30, engineCreateTimeout: 5, backOff: () => 1 };
  const log = pino({ level: 'silent' });
  const run = () =>
    reconcileEngine({ ...clouds, db, bus: site.bus, settings, owner: 'worker-1', controllers: [], log }, id);
  await waitUntil('it is given up', 60_000, async () => {
    await run();
    return (await findEngine(db, id))?.status === 'GHOST';
  });
  expect(await site.events('ENGINE_GHOST')).toMatchObject([{ service_engine_id: id }]);
});

it('listens on nothing, and asks nobody to log in', async () => {
  // Until the agent is at work; what is bound to the loopback counts as well.
  const show = 'ss -Hltun >/dev/ttyS0; ss -Hltn | wc -l | sed s/^/counted:/ >/dev/ttyS0';
  const awaits = 'until journalctl -u slipstream-agent | grep -q asks; do sleep 1; done';
  const script = `systemctl start multi-user.target; ${awaits}; ${show}`;
  machine = await bootMachine({ image: IMAGE, nics: [MANAGEMENT], script });
  const { console: said } = machine;
  await waitUntil('it has counted', BOOT, () => /counted:\d+/.test(said()));
  expect(said()).toContain('this engine does not know who it is');
  expect(/counted:(\d+)/.exec(said())?.[1]).toBe('0');
  expect(said()).not.toMatch(/login:/);
});

it('is the same to the last byte when it is built again', async () => {
  expect(await buildImage()).toBe(hash);
});
