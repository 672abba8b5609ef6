import { randomBytes } from 'node:crypto';
import { waitUntil } from '../support/wait';
import { logIn, type Session } from './clients/session';
import { uploadImage } from './hosts/image';
import { type Installation, startSingleProject } from './hosts/installation';
import { type Engine, PATIENCE, type Stage, setStage } from './hosts/stage';
import { answersOf } from './hosts/traffic';
import { difference, type Inventory, takeInventory } from './inventory';
import { readLab } from './lab';

/** Mode 3: an installation that has everything in the project demo, by a member of it, and engines that call it. */
const lab = readLab();
const name = `single-${randomBytes(4).toString('hex')}`;
let before: Inventory;
let usedBefore: number;
let demo: Session;
let installation: Installation;
let stage: Stage;
let removeImage: () => Promise<void>;

beforeAll(async () => {
  before = await takeInventory(lab);
  demo = await logIn(lab.person('demo', 'demo'));
  usedBefore = await instancesOf(demo);
  removeImage = await uploadImage(demo, name);
  const more = `[controller_worker]\namp_image_tag = ${name}\n[service_engine]\nowner_tag = ${name}\ntenancy_mode = 3\n`;
  installation = await startSingleProject(lab, more);
  stage = await setStage(lab, installation.url);
}, 2 * PATIENCE);
afterAll(async () => {
  await stage?.dispose();
  await installation?.stop();
  await removeImage?.();
}, 3 * PATIENCE);

async function instancesOf(who: Session): Promise<number> {
  return (await who.ask('compute', 'GET', '/limits')).limits.absolute.totalInstancesUsed;
}

async function serversOf(username: string, project: string): Promise<string[]> {
  const { servers } = await (await logIn(lab.person(username, project))).ask('compute', 'GET', '/servers');
  return servers.map(({ id }: { id: string }) => id);
}

async function enginesOnce(count: number): Promise<readonly Engine[]> {
  let engines: readonly Engine[] = [];
  await waitUntil(`${count} engines are READY`, PATIENCE, async () => {
    engines = await stage.engines();
    return engines.length === count && engines.every(({ status }) => status === 'READY');
  });
  return engines;
}

/** The projects of an engine's ports. */
async function ownersOfPorts({ id }: Engine): Promise<string[]> {
  const { ports } = await stage.admin.ask('network', 'GET', `/v2.0/ports?description=${name} engine ${id}`);
  return ports.map((port: { project_id: string }) => port.project_id);
}

describe('engines of an installation in one project (mode 3)', () => {
  it('call home from there before there is any load balancer, where a buffer is asked for', async () => {
    await stage.keepSpare(1);

    const [engine] = await enginesOnce(1);

    expect(await serversOf('demo', 'demo')).toContain(engine?.compute_id);
    expect(await ownersOfPorts(engine as Engine)).toEqual([demo.projectId]);
    expect(await instancesOf(demo)).toBe(usedBefore + 1);
  }, 600_000);

  it('carry traffic to a VIP of the project, and to its floating IP', async () => {
    const balancer = await stage.createBalancer('only');
    await stage.becomesActive(balancer);
    const floatingIp = await stage.giveFloatingIp(balancer);

    expect(await answersOf(stage.tenant, `http://${balancer.vip}/`)).toEqual(['member-0', 'member-1']);
    expect(await answersOf(stage.outside, `http://${floatingIp}/`)).toEqual(['member-0', 'member-1']);
  }, 600_000);

  it('keep the buffer free for the project as a whole, on its quota, seen by its users alone', async () => {
    const engines = await enginesOnce(2);

    const servers = engines.map(({ compute_id: id }) => id);
    expect(await serversOf('demo', 'demo')).toEqual(expect.arrayContaining(servers));
    for (const [username, project] of [
      ['other', 'other'],
      ['octavia', 'service'],
    ] as const) {
      expect((await serversOf(username, project)).filter((id) => servers.includes(id))).toEqual([]);
    }
    const owners = (await Promise.all(engines.map(ownersOfPorts))).flat();
    expect(new Set(owners)).toEqual(new Set([demo.projectId]));
    expect(await instancesOf(demo)).toBe(usedBefore + 2);
  }, 600_000);

  it('serve nobody else: the VIP of another project is refused, in the words of Neutron', async () => {
    const other = await logIn(lab.person('other', 'other'), { 'load-balancer': installation.url });
    const loadbalancer = { name, vip_network_id: lab.cloud.public_network_id };

    const created = other.ask('load-balancer', 'POST', '/v2/lbaas/loadbalancers', { loadbalancer });

    await expect(created).rejects.toThrow(/: 40[03] /);
    expect((await other.ask('load-balancer', 'GET', '/v2/lbaas/loadbalancers')).loadbalancers).toEqual([]);
  });

  it('leave nothing in the project', async () => {
    await stage.dispose();
    await removeImage();

    let left: string[] = [];
    const settled = waitUntil('nothing is left over', 60_000, async () => {
      left = difference(await takeInventory(lab), before);
      return left.length === 0;
    });
    await settled.catch(() => undefined);
    expect(left).toEqual([]);
    expect(await instancesOf(demo)).toBe(usedBefore);
  }, 600_000);
});
