import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createNovaDriver } from '../../driver/clouds/compute/http';
import type { NovaSettings } from '../../driver/clouds/compute/nova/settings';
import type { ComputeDriver } from '../../driver/clouds/compute/port';
import { createGlanceDriver } from '../../driver/clouds/image/http';
import { aServerRequest, type ComputeTwin, describeComputeDriver, serversOnce } from '../contracts/computeSuite';
import { waitUntil } from '../support/wait';
import type { Person } from './clients/cloud';
import { logIn, type Session } from './clients/session';
import { type Lab, readLab } from './lab';
import { openServices, type Services } from './services';

/** What Nova itself does, as the service and as an admin of another project, whose quota nobody else needs. */
let lab: Lab;
let opened: Services[] = [];
let demo: Session;
beforeAll(async () => {
  lab = readLab();
  demo = await logIn(lab.person('admin', 'demo'));
});
afterEach(async () => {
  await Promise.all(opened.map((services) => services.close()));
  opened = [];
});

type Nova = Required<ComputeDriver>;

/** A driver with an owner tag of its own: what others run in this project it does not see. */
function openNova(settings: Partial<NovaSettings> = {}, person?: Person): Nova {
  const services = openServices(lab, person);
  opened.push(services);
  const { cloud } = lab;
  return createNovaDriver({
    service: services.open('Nova', 'compute'),
    images: createGlanceDriver(services.open('Glance', 'image')),
    settings: {
      owner: `contract-${randomUUID().slice(0, 8)}`,
      flavorId: cloud.server_flavor_id,
      image: { tag: 'slipstream-engine', ownerId: null },
      networkIds: [cloud.private_network_id],
      securityGroupIds: [],
      keyName: null,
      availabilityZone: null,
      antiAffinity: null,
      bootstrap: 'metadata',
      // On busy machines Nova takes its time.
      attachTimeout: 120_000,
      ...settings,
    },
  }) as Nova;
}

async function clear(driver: Nova): Promise<void> {
  for (const { id } of await driver.listServers()) await driver.deleteServer(id);
  await serversOnce(driver, (servers) => servers.length === 0);
  for (const { id } of await driver.listServerGroups()) await driver.deleteServerGroup(id);
}

const inDemo = (): Person => lab.person('admin', 'demo');

const NOVA: ComputeTwin = {
  name: 'Nova',
  open: async () => {
    const driver = openNova({}, inDemo());
    return { driver, close: () => clear(driver) };
  },
};

describeComputeDriver(NOVA);

describe('a real Nova', () => {
  it('refuses a server beyond the quota, in its words', async () => {
    const driver = openNova({}, inDemo());
    const quota = `/os-quota-sets/${demo.projectId}`;
    await demo.ask('compute', 'PUT', quota, { quota_set: { instances: 0, force: true } });
    try {
      await expect(driver.createServer(aServerRequest())).rejects.toMatchObject({
        name: 'NovaError',
        status: 403,
        isQuota: true,
        message: expect.stringMatching(/^Quota exceeded for instances/),
      });
    } finally {
      await demo.ask('compute', 'DELETE', quota);
    }
  });

  it('keeps servers of a group on different hosts, and has no valid host for one more than there are', async () => {
    const driver = openNova({ antiAffinity: 'anti-affinity' }, inDemo());
    const groupId = randomUUID();
    try {
      for (let count = 0; count < 4; count += 1) await driver.createServer(aServerRequest({ groupId }));

      const servers = await serversOnce(driver, (all) =>
        all.every(({ status }) => status === 'ACTIVE' || status === 'ERROR'),
      );

      expect(servers.map(({ status }) => status).sort()).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE', 'ERROR']);
      expect(new Set(servers.flatMap(({ host }) => host ?? [])).size).toBe(3);
      const broken = servers.find(({ status }) => status === 'ERROR');
      // Nova's list does not say why.
      expect((await driver.findServer(broken?.id ?? ''))?.fault).toMatch(/^No valid host was found/);
      expect(await driver.listServerGroups()).toMatchObject([{ groupId }]);
    } finally {
      await clear(driver);
    }
  });

  describe('with a server', () => {
    let driver: Nova;
    let serverId: string;
    let portId: string;
    /** One for all tests here, which each open a driver. */
    const owner = `contract-${randomUUID().slice(0, 8)}`;
    const openNovaAgain = (): Nova => openNova({ owner }, inDemo());

    beforeAll(async () => {
      driver = openNovaAgain();
      ({ id: serverId } = await driver.createServer(aServerRequest()));
      await serversOnce(driver, ([server]) => server?.status === 'ACTIVE');
      const port = { name: 'contract', network_id: lab.cloud.members_network_id };
      portId = (await demo.ask('network', 'POST', '/v2.0/ports', { port })).port.id;
    });
    afterAll(async () => {
      await clear(openNovaAgain());
      await demo.ask('network', 'DELETE', `/v2.0/ports/${portId}`);
    });
    beforeEach(() => {
      driver = openNovaAgain();
    });
    afterEach(async () => {
      await driver.detachPort(serverId, portId);
      await unplugged();
    });

    /** Nova unplugs after it has answered. */
    const unplugged = (): Promise<void> =>
      waitUntil(
        'the port is unplugged',
        150_000,
        async () => !(await driver.listServerPorts(serverId)).includes(portId),
      );

    it('plugs a port in and out once, however often one asks', async () => {
      const [first] = await driver.listServerPorts(serverId);
      await driver.attachPort(serverId, portId);
      await driver.attachPort(serverId, portId);
      expect((await driver.listServerPorts(serverId)).toSorted()).toEqual([first, portId].toSorted());

      await driver.detachPort(serverId, portId);
      await driver.detachPort(serverId, portId);
      await unplugged();
      expect(await driver.listServerPorts(serverId)).toEqual([first]);
      const { port } = await demo.ask('network', 'GET', `/v2.0/ports/${portId}`);
      expect(port).toMatchObject({ id: portId, device_id: '' });
    });

    it('tells that a port cannot be bound on its host, and plugs it in once it can', async () => {
      const refused = path.join(lab.directory, 'refused-hosts');
      writeFileSync(refused, 'compute-1\ncompute-2\ncompute-3\n');
      try {
        await expect(driver.attachPort(serverId, portId)).rejects.toMatchObject({ name: 'NovaError' });
      } finally {
        rmSync(refused);
      }

      // As the unit of an engine does it: Nova shows the port as plugged in, and lets go of it no more.
      const unbound = { device_id: '', device_owner: '', 'binding:host_id': '' };
      await demo.ask('network', 'PUT', `/v2.0/ports/${portId}`, { port: unbound });
      await driver.attachPort(serverId, portId);

      expect(await driver.listServerPorts(serverId)).toContain(portId);
    });
  });
});
