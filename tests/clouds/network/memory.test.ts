import { openEmbeddedNetwork } from '../../../driver/clouds/network/memory';
import { createFloatingIp, deleteFloatingIp, updateFloatingIp } from '../../../driver/clouds/network/model/floatingIps';
import { createNetwork, deleteNetwork } from '../../../driver/clouds/network/model/networks';
import { createPort, deletePort, updatePort } from '../../../driver/clouds/network/model/ports';
import { ensureDefaultGroup } from '../../../driver/clouds/network/model/securityGroups';
import { createSubnet, deleteSubnet } from '../../../driver/clouds/network/model/subnets';
import { SEED_IDS, seedNetworks } from '../../../driver/clouds/network/seed';
import { createMemoryStore, type ResourceStore } from '../../../driver/clouds/network/store';
import { aNetworkCloud } from '../../support/simulators/network';
import { waitUntil } from '../../support/simulators/waitUntil';

const PROJECT = 'project-demo';
const { localNetwork, localSubnet, publicNetwork } = SEED_IDS;
const aPort = (change: object = {}) => ({ name: 'p', projectId: PROJECT, networkId: localNetwork, ...change });

describe('what the store keeps', () => {
  it('is there again after a restart, with its addresses taken', async () => {
    const store = createMemoryStore();
    const before = await aNetworkCloud('admin', { store });
    const port = await createPort(before.model, aPort({ fixedIps: [{ ipAddress: '127.80.7.7' }] }));
    const floating = await createFloatingIp(before.model, {
      projectId: PROJECT,
      floatingNetworkId: publicNetwork,
      portId: port.id,
    });

    const after = await aNetworkCloud('admin', { store });

    expect(after.model.ports.get(port.id)).toEqual(port);
    expect(after.model.floatingIps.by('port_id', port.id)).toEqual([floating]);
    await expect(createPort(after.model, aPort({ fixedIps: [{ ipAddress: '127.80.7.7' }] }))).rejects.toMatchObject({
      type: 'IpAddressAlreadyAllocated',
    });
    const second = await createFloatingIp(after.model, { projectId: PROJECT, floatingNetworkId: publicNetwork });
    expect(second.floating_ip_address).not.toBe(floating.floating_ip_address);
  });

  it('is not seeded a second time', async () => {
    const store = createMemoryStore();
    await aNetworkCloud('admin', { store });
    const rows = await store.load();

    const again = await openEmbeddedNetwork({ store });
    await seedNetworks(again.model, { projectId: 'admin' });

    expect(await store.load()).toEqual(rows);
  });

  it('loses what was deleted', async () => {
    const store = createMemoryStore();
    const { model } = await aNetworkCloud('admin', { store });
    const port = await createPort(model, aPort());

    await deletePort(model, port.id);

    expect((await store.load()).filter(({ kind }) => kind === 'port')).toEqual([]);
  });
});

describe('a store that refuses', () => {
  const refusing = (): ResourceStore & { refuse: boolean } => {
    const store = createMemoryStore();
    const guarded = {
      ...store,
      refuse: false,
      put: (kind: string, id: string, body: Readonly<Record<string, unknown>>) =>
        guarded.refuse ? Promise.reject(new Error('disk full')) : store.put(kind, id, body),
      remove: (kind: string, id: string) =>
        guarded.refuse ? Promise.reject(new Error('disk full')) : store.remove(kind, id),
    };
    return guarded;
  };

  it('leaves no trace of the port, and its address free', async () => {
    const store = refusing();
    const { model, driver } = await aNetworkCloud('admin', { store });
    await ensureDefaultGroup(model, PROJECT);
    const free = await driver.countFreeAddresses(localSubnet);

    store.refuse = true;
    await expect(createPort(model, aPort())).rejects.toThrow('disk full');

    expect([...model.ports.all()]).toEqual([]);
    expect(await driver.countFreeAddresses(localSubnet)).toBe(free);
  });

  it('leaves a port as it was when its change or deletion cannot be kept', async () => {
    const store = refusing();
    const { model } = await aNetworkCloud('admin', { store });
    const port = await createPort(model, aPort());

    store.refuse = true;
    await expect(updatePort(model, port.id, { name: 'other' })).rejects.toThrow('disk full');
    await expect(deletePort(model, port.id)).rejects.toThrow('disk full');

    expect(model.ports.get(port.id)).toEqual(port);
    expect(model.ports.by('name', 'p')).toEqual([port]);
    expect(model.ports.by('name', 'other')).toEqual([]);
  });
});

describe('addresses', () => {
  it('are passed over when the host cannot use them', async () => {
    const { model, driver } = await aNetworkCloud('admin', { isUsable: async (address) => !/\.[12]$/.test(address) });
    const free = await driver.countFreeAddresses(localSubnet);

    const port = await createPort(model, aPort());

    expect(port.fixed_ips).toEqual([{ subnet_id: localSubnet, ip_address: '127.80.0.3' }]);
    expect(await driver.countFreeAddresses(localSubnet)).toBe(free - 1);
  });

  it('run out with 409 and the text of Neutron', async () => {
    const { model } = await aNetworkCloud('admin');
    const network = await createNetwork(model, { name: 'small', projectId: PROJECT });
    await createSubnet(model, {
      name: 's',
      projectId: PROJECT,
      networkId: network.id,
      cidr: '10.0.0.0/30',
      gatewayIp: null,
    });
    const wish = aPort({ networkId: network.id });
    await Promise.all([createPort(model, wish), createPort(model, wish)]);

    await expect(createPort(model, wish)).rejects.toMatchObject({
      status: 409,
      type: 'IpAddressGenerationFailure',
      message: `No more IP addresses available on network ${network.id}.`,
    });
  });

  it('come one of each IP version, and none is kept when one of them cannot be had', async () => {
    const { model } = await aNetworkCloud('admin');
    const network = await createNetwork(model, { name: 'dual', projectId: PROJECT });
    const place = { name: 's', projectId: PROJECT, networkId: network.id, gatewayIp: null };
    const four = await createSubnet(model, { ...place, cidr: '10.0.0.0/30' });
    const six = await createSubnet(model, { ...place, cidr: 'fd00::/127' });
    const wish = aPort({ networkId: network.id });

    const port = await createPort(model, wish);
    expect(port.fixed_ips).toEqual([
      { subnet_id: four.id, ip_address: '10.0.0.1' },
      { subnet_id: six.id, ip_address: 'fd00::' },
    ]);

    await createPort(model, { ...wish, fixedIps: [{ subnetId: six.id }] });
    await expect(createPort(model, wish)).rejects.toMatchObject({ type: 'IpAddressGenerationFailure' });
    await expect(createPort(model, { ...wish, fixedIps: [{ ipAddress: '10.0.0.2' }] })).resolves.toBeDefined();
  });

  it('change with the port: what it keeps stays taken, what it gives up is free', async () => {
    const { model } = await aNetworkCloud('admin');
    const port = await createPort(
      model,
      aPort({ fixedIps: [{ ipAddress: '127.80.7.7' }, { ipAddress: '127.80.7.8' }] }),
    );

    const changed = await updatePort(model, port.id, {
      fixed_ips: [{ ipAddress: '127.80.7.8' }, { ipAddress: '127.80.7.9' }],
    });

    expect(changed.fixed_ips.map((ip) => ip.ip_address)).toEqual(['127.80.7.8', '127.80.7.9']);
    const take = (address: string) => createPort(model, aPort({ fixedIps: [{ ipAddress: address }] }));
    await expect(take('127.80.7.7')).resolves.toBeDefined();
    await expect(take('127.80.7.8')).rejects.toMatchObject({ status: 409 });
    await expect(take('127.80.7.9')).rejects.toMatchObject({ status: 409 });
  });
});

describe('deletes', () => {
  it('are refused while ports use the network or subnet, and take the subnets along otherwise', async () => {
    const { model } = await aNetworkCloud('admin');
    const network = await createNetwork(model, { name: 'n', projectId: PROJECT });
    const subnet = await createSubnet(model, {
      name: 's',
      projectId: PROJECT,
      networkId: network.id,
      cidr: '10.0.0.0/24',
    });
    const port = await createPort(model, aPort({ networkId: network.id }));

    await expect(deleteNetwork(model, network.id)).rejects.toMatchObject({ status: 409, type: 'NetworkInUse' });
    await expect(deleteSubnet(model, subnet.id)).rejects.toMatchObject({ status: 409, type: 'SubnetInUse' });
    await deletePort(model, port.id);
    await deleteNetwork(model, network.id);

    expect(model.subnets.get(subnet.id)).toBeUndefined();
  });

  it('of a port at the same moment free its address once, not under whoever has it by then', async () => {
    const store = createMemoryStore();
    let letSecondPass = () => {};
    const gate = new Promise<void>((resolve) => {
      letSecondPass = resolve;
    });
    let removals = 0;
    const remove = async (kind: string, id: string) => {
      removals += 1;
      if (removals > 1) await gate;
      await store.remove(kind, id);
    };
    const { model } = await aNetworkCloud('admin', { store: { ...store, remove } });
    const wish = aPort({ fixedIps: [{ ipAddress: '127.80.7.7' }] });
    const port = await createPort(model, wish);
    await createFloatingIp(model, { projectId: PROJECT, floatingNetworkId: publicNetwork, portId: port.id });

    const deletions = [deletePort(model, port.id), deletePort(model, port.id)];
    await waitUntil(() => model.spaces.get(localSubnet)?.countFree() === 65_534);
    await ensureDefaultGroup(model, PROJECT);
    const successor = createPort(model, wish);
    await waitUntil(() => model.spaces.get(localSubnet)?.countFree() === 65_533);
    letSecondPass();
    await Promise.all([...deletions, successor]);

    await expect(createPort(model, wish)).rejects.toMatchObject({ type: 'IpAddressAlreadyAllocated' });
  });
});

describe('floating IPs', () => {
  it('go from port to port, one for each fixed address', async () => {
    const { model } = await aNetworkCloud('admin');
    const [one, other] = [await createPort(model, aPort()), await createPort(model, aPort())];
    const wish = { projectId: PROJECT, floatingNetworkId: publicNetwork };
    const floating = await createFloatingIp(model, { ...wish, portId: one.id });

    expect(floating).toMatchObject({ status: 'ACTIVE', fixed_ip_address: one.fixed_ips[0]?.ip_address });
    await expect(createFloatingIp(model, { ...wish, portId: one.id })).rejects.toMatchObject({
      status: 409,
      type: 'FloatingIPPortAlreadyAssociated',
    });
    expect(await updateFloatingIp(model, floating.id, { port_id: other.id })).toMatchObject({ port_id: other.id });
    expect(await updateFloatingIp(model, floating.id, { port_id: null })).toMatchObject({
      port_id: null,
      status: 'DOWN',
    });
    await deleteFloatingIp(model, floating.id);
    expect([...model.floatingIps.all()]).toEqual([]);
  });

  it('come from external networks only', async () => {
    const { model } = await aNetworkCloud('admin');

    await expect(
      createFloatingIp(model, { projectId: PROJECT, floatingNetworkId: localNetwork }),
    ).rejects.toMatchObject({
      status: 400,
    });
  });
});

it('makes one default security group for a project, however many ask at once', async () => {
  const { model } = await aNetworkCloud('admin');

  const ports = await Promise.all(Array.from({ length: 20 }, () => createPort(model, aPort())));

  expect(model.securityGroups.by('project_id', PROJECT)).toHaveLength(1);
  expect(new Set(ports.flatMap((port) => port.security_groups)).size).toBe(1);
});

it('seeds an IPv6 subnet beside the local one where the host has a prefix', async () => {
  const { model } = await openEmbeddedNetwork({ store: createMemoryStore() });
  await seedNetworks(model, { projectId: 'admin', localIpv6Cidr: 'fd00:80::/64' });

  expect(model.subnets.by('network_id', localNetwork).map(({ name, cidr }) => [name, cidr])).toEqual([
    ['local', '127.80.0.0/16'],
    ['local-ipv6', 'fd00:80::/64'],
  ]);
});
