import { randomUUID } from 'node:crypto';
import type { NovaSettings } from '../../../driver/clouds/compute/nova/settings';
import {
  ANY_PROJECT,
  type ComputeDriver,
  type InProject,
  type ServerRequest,
} from '../../../driver/clouds/compute/port';
import type { NovaBehaviour } from '../../support/simulators/nova/model';
import { type NovaOverHttp, startNovaOverHttp } from '../../support/simulators/novaOverHttp';

const ENGINE = randomUUID();
const request = (change: Partial<ServerRequest> = {}): ServerRequest => ({
  engineId: ENGINE,
  name: 'slipstream-1',
  token: 't0ken',
  controllers: ['ws://10.0.0.1:5555', 'wss://[fd00::2]:5555'],
  ...change,
});

let site: NovaOverHttp;
afterEach(() => site.close());

async function start(settings: Partial<NovaSettings> = {}, behaviour: Partial<NovaBehaviour> = {}) {
  site = await startNovaOverHttp(behaviour);
  return { nova: site.nova, driver: site.driverWith(settings) };
}
const onlyServer = () => {
  const [server] = site.nova.model.servers.values();
  if (!server) throw new Error('Nova has no server');
  return server;
};

describe('a server of an engine', () => {
  it('is made of what the configuration says, with the management port first', async () => {
    const { driver } = await start({
      keyName: 'operators',
      availabilityZone: 'az-1',
      networkIds: ['net-mgmt', 'net-other'],
      securityGroupIds: ['sg-1', 'sg-2'],
    });

    await driver.createServer(request());

    expect(onlyServer()).toMatchObject({
      name: 'slipstream-1',
      imageId: 'image-engine',
      flavorId: 'flavor-1',
      keyName: 'operators',
      availabilityZone: 'az-1',
      securityGroups: ['sg-1', 'sg-2'],
      ports: [{ networkId: 'net-mgmt' }, { networkId: 'net-other' }],
    });
  });

  it('is made of what the request says where it says more', async () => {
    const { driver } = await start();

    await driver.createServer(
      request({ flavorId: 'big', imageTag: 'newer', availabilityZone: 'az-2', portIds: ['port-mgmt', 'port-vip'] }),
    );

    expect(onlyServer()).toMatchObject({
      imageId: 'image-newer',
      flavorId: 'big',
      availabilityZone: 'az-2',
      ports: [{ id: 'port-mgmt' }, { id: 'port-vip' }],
      securityGroups: [],
    });
  });

  it.each([
    ['metadata', false],
    ['config_drive', true],
  ] as const)('learns by %s who its controllers are and what it proves itself with', async (bootstrap, configDrive) => {
    const { driver } = await start({ bootstrap });

    await driver.createServer(request());

    expect(onlyServer()).toMatchObject({
      configDrive,
      metadata: {
        AVICNTRL: '10.0.0.1',
        AVICNTRL_IPS: '10.0.0.1,fd00::2',
        AVICNTRL_AUTHTOKEN: 't0ken',
        slipstream_controller_0: 'ws://10.0.0.1:5555',
        slipstream_controller_1: 'wss://[fd00::2]:5555',
      },
    });
  });

  it('shows its address and host when it is up', async () => {
    const { driver, nova } = await start({}, { bootsSlowly: true });
    await driver.createServer(request());
    expect(await driver.listServers()).toMatchObject([{ status: 'BUILD', managementAddress: null }]);

    nova.model.finishBoots();

    expect(await driver.listServers()).toMatchObject([
      { status: 'ACTIVE', managementAddress: '10.99.0.11', host: 'compute-1', fault: null },
    ]);
  });

  it('has a flavor by its name as well, of those there are', async () => {
    const { driver } = await start();

    await driver.createServer(request({ flavorId: 'm1.big' }));

    expect(onlyServer().flavorId).toBe('big');
    await expect(driver.createServer(request({ flavorId: 'm1.tiny' }))).rejects.toMatchObject({
      name: 'NovaError',
      status: 404,
      message: 'There is no flavor m1.tiny.',
    });
  });

  it('keeps the networks of the configuration for which it is given no port', async () => {
    const { driver } = await start({ networkIds: ['net-mgmt', 'net-other'] });

    await driver.createServer(request({ portIds: ['port-mgmt'] }));

    expect(onlyServer()).toMatchObject({
      ports: [{ id: 'port-mgmt' }, { networkId: 'net-other' }],
      securityGroups: ['sg-mgmt'],
    });
  });

  it('is in the project it is asked for in, together with what keeps it apart from others there', async () => {
    const { driver, nova } = await start({ antiAffinity: 'anti-affinity' });
    const groupId = randomUUID();
    await driver.prepareGroup?.(groupId, 'theirs');
    const { id } = await driver.createServer(request({ projectId: 'theirs', groupId }));
    const own = await driver.createServer(request({ groupId, engineId: randomUUID() }));

    expect(nova.model.server(id).projectId).toBe('theirs');
    expect([...nova.model.groups.values()].map((it) => [it.project_id, it.members])).toEqual([
      ['theirs', [id]],
      [null, [own.id]],
    ]);
    const idsIn = async (where?: InProject) => (await driver.listServers(where)).map((server) => server.id);
    expect(await idsIn()).toEqual([own.id]);
    expect(await idsIn('theirs')).toEqual([id]);
    expect(await idsIn('others')).toEqual([]);
    expect((await idsIn(ANY_PROJECT)).toSorted()).toEqual([id, own.id].toSorted());
    expect(await driver.listServerGroups?.('theirs')).toMatchObject([{ groupId, servers: 1, projectId: 'theirs' }]);
    expect(await driver.listServerGroups?.()).toMatchObject([{ projectId: null }]);
    expect(await driver.listServerGroups?.(ANY_PROJECT)).toHaveLength(2);
    expect(await driver.findServer?.(id)).toMatchObject({ id });
  });

  it('is found by its id, unless it is gone or not of this installation', async () => {
    const { driver } = await start();
    const { id } = await driver.createServer(request());

    expect(await driver.findServer?.(id)).toEqual((await driver.listServers())[0]);
    expect(await driver.findServer?.(randomUUID())).toBeUndefined();
    expect(await site.driverWith({ owner: 'elsewhere' }).findServer?.(id)).toBeUndefined();
  });

  it('tells when it does not run, and when it was built anew', async () => {
    const { driver, nova } = await start();
    const { id } = await driver.createServer(request());
    const first = await driver.findServer?.(id);
    onlyServer().status = 'SHUTOFF';
    expect(await driver.findServer?.(id)).toMatchObject({ status: 'ACTIVE', stopped: 'SHUTOFF' });

    nova.model.resize(id);
    expect((await driver.findServer?.(id))?.launchedAt).not.toBe(first?.launchedAt);
    expect(await driver.wasRebuilt?.(id)).toBe(false);
    nova.model.rebuild(id);
    expect(await driver.wasRebuilt?.(id)).toBe(true);
  });

  it('is rebooted softly or hard, and seen to be so until Nova is done', async () => {
    const { driver, nova } = await start({}, { rebootsSlowly: true });
    const { id } = await driver.createServer(request());
    const rebooting = async () => (await driver.findServer?.(id))?.rebooting;
    expect(await rebooting()).toBe(false);

    await driver.rebootServer?.(id, 'soft');
    expect([onlyServer().status, await rebooting()]).toEqual(['REBOOT', true]);
    await expect(driver.rebootServer?.(id, 'soft')).rejects.toMatchObject({ status: 409 });
    await driver.rebootServer?.(id, 'hard');
    expect([onlyServer().status, await rebooting()]).toEqual(['HARD_REBOOT', true]);

    nova.model.finishReboots();
    expect(await rebooting()).toBe(false);
    await expect(driver.rebootServer?.(randomUUID(), 'soft')).rejects.toMatchObject({ status: 404 });
  });

  it('counts as gone while Nova is still deleting it', async () => {
    const { driver, nova } = await start({}, { deletesSlowly: true });
    const { id } = await driver.createServer(request());

    await driver.deleteServer(id);
    expect(await driver.listServers()).toEqual([]);
    await driver.deleteServer(id);
    await nova.model.finishDeletions();

    expect(nova.model.servers.size).toBe(0);
  });

  it('is found by those who made it without hearing so', async () => {
    const { driver, nova } = await start();
    nova.loseAnswers(1);

    await expect(driver.createServer(request())).rejects.toMatchObject({ name: 'UnavailableError' });

    expect(nova.calls.filter((call) => call === 'POST /servers')).toHaveLength(1);
    expect(await driver.listServers()).toEqual([expect.objectContaining({ engineId: ENGINE, id: onlyServer().id })]);
  });
});

describe('the servers of others', () => {
  it('are not listed: neither those of another installation nor those of people', async () => {
    const { driver, nova } = await start();
    await site.driverWith({ owner: 'elsewhere' }).createServer(request());
    const mine = await driver.createServer(request());
    const { tags, ...rest } = { ...onlyServer(), tags: ['mine'], metadata: {}, networks: [{ uuid: 'x' }], group: null };
    await nova.model.create({ ...rest, tags });

    expect(nova.model.servers.size).toBe(3);
    expect((await driver.listServers()).map(({ id }) => id)).toEqual([mine.id]);
  });

  it('leave room for all of ours, however many pages they fill', async () => {
    site = await startNovaOverHttp({}, 3);
    for (let i = 0; i < 7; i += 1) await site.driver.createServer(request({ engineId: `engine-${i}` }));

    const engines = (await site.driver.listServers()).map(({ engineId }) => engineId);

    expect(engines.sort()).toEqual(Array.from({ length: 7 }, (_, i) => `engine-${i}`));
  });

  it('are listed once each while Nova, which schedules one, shows it again behind itself', async () => {
    site = await startNovaOverHttp({ repeatsMarkers: true }, 3);
    for (let i = 0; i < 4; i += 1) await site.driver.createServer(request({ engineId: `engine-${i}` }));

    const engines = (await site.driver.listServers()).map(({ engineId }) => engineId);

    expect(engines.sort()).toEqual(['engine-0', 'engine-1', 'engine-2', 'engine-3']);
  });

  it.each(['tags', 'metadata'] as const)('do not include one that has lost its %s', async (lost) => {
    const { driver, nova } = await start();
    await driver.createServer(request());
    const server = onlyServer();
    nova.model.servers.set(server.id, { ...server, [lost]: lost === 'tags' ? [] : {} });

    expect(await driver.listServers()).toMatchObject([{ engineId: ENGINE }]);
  });
});

describe('what Nova cannot do', () => {
  it('is a refusal when the quota is used up, in its words', async () => {
    const { driver } = await start({}, { quota: 0 });

    await expect(driver.createServer(request())).rejects.toMatchObject({
      name: 'NovaError',
      status: 403,
      isQuota: true,
      message: expect.stringMatching(/^Quota exceeded for instances/),
    });
  });

  it('shows by the fault of the server when no host can take it', async () => {
    const { driver } = await start({}, { hosts: [] });

    const { id } = await driver.createServer(request());

    expect(await driver.listServers()).toMatchObject([{ status: 'ERROR' }]);
    expect(await driver.findServer?.(id)).toMatchObject({
      status: 'ERROR',
      fault: expect.stringMatching(/^No valid host was found/),
    });
  });

  it('is told before anything is made when there is no image', async () => {
    const { driver, nova } = await start();

    await expect(driver.createServer(request({ imageTag: 'missing' }))).rejects.toMatchObject({
      status: 404,
      message: 'There is no active image with the tag "missing".',
    });
    expect(nova.calls).toEqual([]);
  });
});

describe('hosts that must differ', () => {
  it('do, within a service engine group, and others may take the same', async () => {
    const { driver, nova } = await start({ antiAffinity: 'anti-affinity' }, { hosts: ['a', 'b'] });
    for (const groupId of ['g1', 'g1', 'g2']) await driver.createServer(request({ groupId }));

    expect([...nova.model.servers.values()].map(({ host }) => host)).toEqual(['a', 'b', 'a']);
    expect([...nova.model.groups.values()]).toMatchObject([
      { name: 'slipstream-g1', policy: 'anti-affinity' },
      { name: 'slipstream-g2' },
    ]);
  });

  it('are too few for a third engine: no valid host', async () => {
    const { driver } = await start({ antiAffinity: 'anti-affinity' }, { hosts: ['a', 'b'] });
    for (const engineId of ['e1', 'e2', 'e3']) await driver.createServer(request({ engineId, groupId: 'g1' }));

    const broken = (await driver.listServers()).filter(({ status }) => status === 'ERROR');

    expect(broken.map(({ engineId }) => engineId)).toEqual(['e3']);
  });

  it('have one server group, also when several servers are made at once', async () => {
    const { nova } = await start();
    const driver = site.driverWith({ antiAffinity: 'soft-anti-affinity' });
    const wishes = Array.from({ length: 4 }, (_, index) => request({ engineId: `e${index}`, groupId: 'g1' }));

    await Promise.all(wishes.map((wish) => driver.createServer(wish)));

    const [group, ...others] = nova.model.groups.values();
    expect(others).toEqual([]);
    expect(group?.members.toSorted()).toEqual([...nova.model.servers.keys()].sort());
  });
});

describe('the ports of a server', () => {
  let driver: Required<ComputeDriver>;
  let id: string;
  beforeEach(async () => {
    driver = (await start()).driver as Required<ComputeDriver>;
    ({ id } = await driver.createServer(request()));
  });

  it('come and go', async () => {
    const [management] = await driver.listServerPorts(id);
    await driver.attachPort(id, 'port-1');
    await driver.attachPort(id, 'port-2');
    expect((await driver.listServerPorts(id)).toSorted()).toEqual([management, 'port-1', 'port-2'].toSorted());

    await driver.detachPort(id, 'port-1');
    expect((await driver.listServerPorts(id)).toSorted()).toEqual([management, 'port-2'].toSorted());
  });

  it('are plugged in and out once, however often one asks', async () => {
    await driver.attachPort(id, 'port-1');
    await driver.attachPort(id, 'port-1');
    expect(await driver.listServerPorts(id)).toHaveLength(2);

    await driver.detachPort(id, 'port-1');
    await driver.detachPort(id, 'port-1');
    await driver.detachPort(randomUUID(), 'port-1');
    expect(await driver.listServerPorts(id)).toHaveLength(1);
  });

  it('include one whose attachment was carried out and not answered', async () => {
    site.nova.loseAnswers(1);
    await expect(driver.attachPort(id, 'port-1')).rejects.toMatchObject({ name: 'UnavailableError' });

    await driver.attachPort(id, 'port-1');

    expect(await driver.listServerPorts(id)).toHaveLength(2);
    expect(site.nova.calls.filter((call) => call.startsWith('POST') && call.endsWith('os-interface'))).toHaveLength(1);
  });

  it('are refused by 500 when their network cannot bind them, which says nothing of Nova', async () => {
    site.nova.behaviour.refusePort = () => ({ status: 500, message: 'Failed to attach network adapter device to x' });
    for (let attempt = 0; attempt < 6; attempt += 1) {
      await expect(driver.attachPort(id, 'port-1')).rejects.toMatchObject({
        name: 'NovaError',
        message: 'Failed to attach network adapter device to x',
      });
    }
    site.nova.behaviour.refusePort = undefined;

    await driver.attachPort(id, 'port-1');

    expect(await driver.listServerPorts(id)).toHaveLength(2);
  });

  it('cannot be those of another server, nor of one that does not exist', async () => {
    const other = await driver.createServer(request());
    await driver.attachPort(other.id, 'port-1');

    await expect(driver.attachPort(id, 'port-1')).rejects.toMatchObject({ name: 'NovaError', status: 400 });
    await expect(driver.attachPort(randomUUID(), 'port-2')).rejects.toMatchObject({ name: 'NotFoundError' });
  });
});
