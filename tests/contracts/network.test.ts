import { randomUUID } from 'node:crypto';
import { createNoopNetwork } from '../../driver/clouds/network/noop';
import type { NetworkDriver, PortRequest } from '../../driver/clouds/network/port';
import { SEED_IDS } from '../../driver/clouds/network/seed';
import { aNetworkCloud } from '../support/simulators/network';
import { startNeutronOverHttp } from '../support/simulators/neutronOverHttp';

interface Twin {
  readonly name: string;
  /** A driver whose service has a network with the subnet 127.80.0.0/16. */
  readonly open: () => Promise<NetworkDriver>;
}

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((it) => it.close()));
});

const MEMORY: Twin = { name: 'memory', open: async () => (await aNetworkCloud('project-admin')).driver };
const HTTP: Twin = {
  name: 'http',
  open: async () => {
    const neutron = await startNeutronOverHttp();
    opened.push(neutron);
    return neutron.driver;
  },
};
const NOOP: Twin = { name: 'noop', open: async () => createNoopNetwork() };
/** Every implementation of the port. */
const TWINS: readonly Twin[] = [MEMORY, HTTP, NOOP];
/** Those that know what exists. */
const KNOWING: readonly Twin[] = [MEMORY, HTTP];

const { localNetwork, localSubnet } = SEED_IDS;

const aRequest = (change: Partial<PortRequest> = {}): PortRequest => ({
  name: 'octavia-lb-1',
  projectId: 'project-demo',
  networkId: localNetwork,
  fixedIps: [{ subnetId: localSubnet }],
  deviceId: 'lb-1',
  deviceOwner: 'Octavia',
  adminStateUp: true,
  ...change,
});

describe.each(TWINS)('a network driver ($name)', ({ open }) => {
  let driver: NetworkDriver;
  beforeEach(async () => {
    driver = await open();
  });

  it('shows a subnet of a network, and the subnet its network', async () => {
    const subnet = await driver.findSubnet(localSubnet);
    const network = await driver.findNetwork(subnet?.networkId ?? '');

    expect(subnet).toMatchObject({ id: localSubnet, ipVersion: 4 });
    expect(network?.subnetIds).toContain(localSubnet);
    expect(await driver.findSubnet(localSubnet)).toEqual(subnet);
  });

  it('creates a port as asked and finds it by id and by what it belongs to', async () => {
    const port = await driver.createPort(aRequest());
    await driver.createPort(aRequest({ deviceId: 'lb-2' }));

    expect(port).toMatchObject({
      name: 'octavia-lb-1',
      projectId: 'project-demo',
      deviceId: 'lb-1',
      deviceOwner: 'Octavia',
    });
    expect(port.fixedIps).toEqual([
      { subnetId: localSubnet, ipAddress: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/) },
    ]);
    expect(await driver.findPort(port.id)).toEqual(port);
    expect(await driver.listPorts({ deviceId: 'lb-1' })).toEqual([port]);
    expect(await driver.listPorts({ deviceOwner: 'Octavia', networkId: localNetwork })).toHaveLength(2);
    expect(await driver.listPorts({ deviceOwner: 'compute:nova' })).toEqual([]);
  });

  it('gives the address asked for', async () => {
    const port = await driver.createPort(aRequest({ fixedIps: [{ subnetId: localSubnet, ipAddress: '127.80.7.7' }] }));

    expect(port.fixedIps).toEqual([{ subnetId: localSubnet, ipAddress: '127.80.7.7' }]);
  });

  it('gives every port an address of its own', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, () => driver.createPort(aRequest())));

    expect(new Set(ports.map(({ fixedIps }) => fixedIps[0]?.ipAddress)).size).toBe(50);
    expect(new Set(ports.map(({ id }) => id)).size).toBe(50);
  });

  it('changes what it is told to change and leaves the rest', async () => {
    const port = await driver.createPort(aRequest());

    const changed = await driver.updatePort(port.id, {
      allowedAddressPairs: [{ ipAddress: '127.80.7.7/32' }],
      name: 'new',
    });

    const revision = expect.any(Number);
    expect(changed).toEqual({ ...port, allowedAddressPairs: [{ ipAddress: '127.80.7.7/32' }], name: 'new', revision });
    expect(changed.revision).toBeGreaterThan(port.revision ?? 0);
    expect(await driver.findPort(port.id)).toEqual(changed);
  });

  it('takes a second deletion of a port, and one of an unknown port, as done', async () => {
    const port = await driver.createPort(aRequest());

    await driver.deletePort(port.id);
    await driver.deletePort(port.id);
    await driver.deletePort(randomUUID());

    expect(await driver.listPorts({ deviceId: 'lb-1' })).toEqual([]);
  });
});

describe.each(KNOWING)('a network driver that knows what exists ($name)', ({ open }) => {
  let driver: NetworkDriver;
  beforeEach(async () => {
    driver = await open();
  });

  it('answers undefined or false to look-ups of what is not there', async () => {
    const id = randomUUID();

    expect(driver.acceptsAnything).toBe(false);
    expect(await driver.findNetwork(id)).toBeUndefined();
    expect(await driver.findSubnet(id)).toBeUndefined();
    expect(await driver.findPort(id)).toBeUndefined();
    expect(await driver.hasQosPolicy(id)).toBe(false);
    expect(await driver.hasSecurityGroup(id)).toBe(false);
  });

  it('passes on in the words of Neutron that an address is taken', async () => {
    const wish = aRequest({ fixedIps: [{ subnetId: localSubnet, ipAddress: '127.80.7.7' }] });
    await driver.createPort(wish);

    await expect(driver.createPort(wish)).rejects.toMatchObject({
      name: 'NeutronError',
      status: 409,
      message: `IP address 127.80.7.7 already allocated in subnet ${localSubnet}`,
    });
  });

  it('refuses an address outside the subnet and an unknown network', async () => {
    const outside = aRequest({ fixedIps: [{ subnetId: localSubnet, ipAddress: '10.0.0.1' }] });
    const nowhere = aRequest({ networkId: 'f00d', fixedIps: [] });

    await expect(driver.createPort(outside)).rejects.toMatchObject({ status: 400 });
    await expect(driver.createPort(nowhere)).rejects.toMatchObject({ status: 404 });
  });

  it('counts the free addresses, down with each port and up again with its deletion', async () => {
    const before = await driver.countFreeAddresses(localSubnet);
    const port = await driver.createPort(aRequest());

    expect(await driver.countFreeAddresses(localSubnet)).toBe(before - 1);
    await driver.deletePort(port.id);
    expect(await driver.countFreeAddresses(localSubnet)).toBe(before);
  });

  it("makes a deleted port's address free for whoever asks for it", async () => {
    const wish = aRequest({ fixedIps: [{ subnetId: localSubnet, ipAddress: '127.80.7.7' }] });
    await driver.deletePort((await driver.createPort(wish)).id);

    await expect(driver.createPort(wish)).resolves.toMatchObject({ fixedIps: [{ ipAddress: '127.80.7.7' }] });
  });

  it('chooses a subnet by itself when none is named', async () => {
    const port = await driver.createPort(aRequest({ fixedIps: [] }));

    expect(port.fixedIps).toEqual([{ subnetId: localSubnet, ipAddress: expect.stringMatching(/^127\.80\./) }]);
  });

  it('throws NotFoundError for the change of an unknown port', async () => {
    await expect(driver.updatePort(randomUUID(), { name: 'x' })).rejects.toMatchObject({
      name: 'NotFoundError',
      status: 404,
    });
  });

  it('lets one of two changes of the same revision through', async () => {
    const port = await driver.createPort(aRequest());
    const change = (ipAddress: string) =>
      driver.updatePort(port.id, { allowedAddressPairs: [{ ipAddress }] }, { ifRevision: port.revision });

    const ended = await Promise.allSettled([change('127.80.7.7'), change('127.80.7.8')]);

    const refused = ended.flatMap((it) => (it.status === 'rejected' ? [it.reason] : []));
    expect(refused).toEqual([expect.objectContaining({ status: 412 })]);
    expect((await driver.findPort(port.id))?.allowedAddressPairs).toHaveLength(1);
  });

  it('gives a port one more address and keeps the one it has', async () => {
    const port = await driver.createPort(aRequest());
    const [have] = port.fixedIps;

    const grown = await driver.updatePort(port.id, { fixedIps: [have ?? {}, { ipAddress: '127.80.7.9' }] });

    expect(grown.fixedIps).toEqual([have, { subnetId: localSubnet, ipAddress: '127.80.7.9' }]);
  });

  it('makes a security group, adds a rule to it once, finds both, and deletes it when no port has it', async () => {
    const request = { name: 'ours', description: 'mark of ours', projectId: 'project-demo', tags: ['slipstream'] };
    const group = await driver.createSecurityGroup(request);
    const rule = {
      direction: 'ingress',
      etherType: 'IPv4',
      protocol: 'tcp',
      portMin: 80,
      portMax: 81,
      remotePrefix: '10.0.0.0/8',
      remoteGroupId: null,
      remoteAddressGroupId: null,
    } as const;
    await driver.addSecurityGroupRule(group.id, rule);
    await driver.addSecurityGroupRule(group.id, rule);
    const port = await driver.createPort(aRequest({ securityGroupIds: [group.id], description: 'mark of ours' }));

    expect(
      (await driver.findSecurityGroup(group.id))?.rules.filter(({ direction }) => direction === 'ingress'),
    ).toEqual([rule]);
    expect(await driver.listSecurityGroups({ description: 'mark of ours' })).toMatchObject([{ id: group.id }]);
    expect(await driver.listSecurityGroups({ name: 'theirs' })).toEqual([]);
    expect(await driver.listPorts({ securityGroupId: group.id })).toMatchObject([{ id: port.id }]);
    expect(await driver.listPorts({ description: 'mark of ours' })).toMatchObject([{ id: port.id }]);
    await expect(driver.deleteSecurityGroup(group.id)).rejects.toMatchObject({ status: 409 });
    await driver.deletePort(port.id);
    await driver.deleteSecurityGroup(group.id);
    await driver.deleteSecurityGroup(group.id);
    expect(await driver.findSecurityGroup(group.id)).toBeUndefined();
  });

  it('puts a port into the default group of its project unless told otherwise', async () => {
    const [port, bare] = await Promise.all([
      driver.createPort(aRequest()),
      driver.createPort(aRequest({ securityGroupIds: [] })),
    ]);

    expect(port.securityGroupIds).toHaveLength(1);
    expect(await driver.hasSecurityGroup(port.securityGroupIds[0] ?? '')).toBe(true);
    expect(bare.securityGroupIds).toEqual([]);
  });
});

describe('a network driver that accepts anything (noop)', () => {
  it('finds whatever is looked for, always the same', async () => {
    const [one, other] = [createNoopNetwork(), createNoopNetwork()];
    const id = randomUUID();

    expect(one.acceptsAnything).toBe(true);
    expect((await one.findSubnet(id))?.networkId).toBe((await other.findSubnet(id))?.networkId);
    expect((await one.findPort(id))?.fixedIps).toEqual((await other.findPort(id))?.fixedIps);
    expect(await one.hasQosPolicy(id)).toBe(true);
    expect(await one.hasSecurityGroup(id)).toBe(true);
  });
});
