import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENGINES_TOPIC } from '../../driver/bus/port';
import { findEngine } from '../../driver/db/engines';
import { PROTOCOL_VERSIONS } from '../../driver/protocol/messages';
import { addEngine } from '../support/fleetRows';
import { type HealthSite, startHealthSite } from '../support/healthSite';
import { openVersionRelay, type VersionRelay } from '../support/oldEngine';
import { ANSWER, ARM, bringUp, createOneArm, type OneArm, WANTED } from '../support/oneArm';
import { placeOn, waitUntilConfirmed } from '../support/placed';
import { waitUntil } from '../support/wait';
import { describeWithNamespaces } from '../support/withServers';

/** Agent and health-manager are never upgraded at one moment: each gets along with the other's previous version. */
const WAIT = 60_000;
const [CURRENT, PREVIOUS] = PROTOCOL_VERSIONS;
const SINCE_CURRENT = ['bgp', 'capture', 'stopCapture', 'captureChunk', 'captureEnd'];
const UNHURRIED = { heartbeatInterval: 500, ackTimeout: 30_000, networkPatience: 60_000, compareInterval: 1000 };

describeWithNamespaces('an agent of the previous version with a health-manager of this one', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ss-old-'));
  const socket = join(directory, 'port');
  let site: HealthSite;
  let relay: VersionRelay;
  let arm: OneArm;
  beforeAll(async () => {
    site = await startHealthSite();
    const { url } = await site.start(UNHURRIED);
    relay = await openVersionRelay(socket, url, [PREVIOUS]);
  });
  afterAll(async () => {
    await arm?.dispose();
    await relay?.close();
    await site?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('comes up, takes networks and specs, reports, and carries traffic; nothing newer is said on either side', async () => {
    const { id, token } = await addEngine(site.db, site.groupId, { status: 'BUILDING' });
    arm = await createOneArm('ss-old', { config: { engineId: id, token, controllers: [`ws+unix://${socket}:/`] } });
    await arm.engine.start({ waits: false });
    await waitUntil('it is READY', WAIT, async () => (await findEngine(site.db, id))?.status === 'READY');
    const placed = await placeOn(site, id, WANTED);
    await arm.network.plug(arm.machine, { macAddress: ARM.mac, up: false });
    await site.bus.broadcast(ENGINES_TOPIC, { method: 'networks', args: { engine_id: id } });
    await waitUntilConfirmed(site, placed, WAIT);
    await waitUntil('its counters come', WAIT, () => relay.toController.some(({ type }) => type === 'counters'));

    expect(await arm.client.fetch(ARM.vip, 80)).toBe(ANSWER);
    expect(relay.toEngine.find(({ type }) => type === 'welcome')?.version).toBe(PREVIOUS);
    const said = new Set([...relay.toEngine, ...relay.toController].map(({ type }) => type));
    expect(SINCE_CURRENT.filter((type) => said.has(type))).toEqual([]);
  });
});

describeWithNamespaces('an agent of this version with a health-manager of the previous one', () => {
  let arm: OneArm;
  beforeAll(async () => {
    arm = await createOneArm('ss-new', { welcome: { version: PREVIOUS } });
  });
  afterAll(() => arm?.dispose());

  it('offers both, serves specs without what is new, and says nothing that is newer', async () => {
    const { controller } = arm.engine;
    await bringUp(arm);
    expect(controller.hellos()[0]?.versions).toEqual([CURRENT, PREVIOUS]);
    const { announcement: _, whenDown: __, ...old } = { announcement: null, whenDown: null, ...arm.spec(2) };
    expect(Object.keys(old)).not.toContain('announcement');
    expect(await controller.put(old)).toMatchObject({ outcome: 'applied', refusals: [] });
    expect(await arm.client.fetch(ARM.vip, 80)).toBe(ANSWER);
    await controller.waitFor('it counts', () => Number(controller.counters('listener-1')?.totalConnections ?? 0) > 0);

    const said = new Set<string>(controller.received.map(({ type }) => type));
    expect(SINCE_CURRENT.filter((type) => said.has(type))).toEqual([]);
  });
});
