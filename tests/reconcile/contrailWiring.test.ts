import { HINTS_TOPIC } from '../../driver/bus/port';
import { reconcileLoadBalancer } from '../../driver/reconcile/loadBalancerUnit';
import { type ContrailLab, startContrailLab, TENANT_PROJECT } from '../support/contrailLab';
import { waitUntil } from '../support/wait';

jest.setTimeout(120_000);

let lab: ContrailLab;
afterEach(() => lab.close());

const VMI = 'virtual-machine-interface';

/** Two engines that serve every load balancer. */
async function openTwo(settings: Parameters<typeof startContrailLab>[0] = {}): Promise<[string, string]> {
  lab = await startContrailLab({ group: { maxEngines: 2, minScaleout: 2, hostRedundancy: false }, ...settings });
  const second = await lab.newEngine();
  await lab.start();
  return [lab.engineId, second];
}

/** One run that is not another's: a worker may still have it in hand. */
async function run(id: string): Promise<void> {
  await waitUntil(`a run of ${id}`, 30_000, async () => {
    const outcome = await reconcileLoadBalancer(lab.parts(), id);
    return outcome.kind !== 'waiting' || !outcome.reason.includes('another worker');
  });
}

describe('address pairs', () => {
  it('let all engines of a load balancer answer for its VIP, in the mode of equals', async () => {
    const engines = await openTwo();
    const { id, address } = await lab.createLoadBalancer();
    await lab.hint(id);
    await lab.reaches(id, 'ACTIVE');
    for (const engine of engines) {
      expect(lab.pairsOf(await lab.portOf(engine))).toEqual([{ address, mode: 'active-active' }]);
    }
  });

  it('are those of a pair where only one is to answer', async () => {
    const engines = await openTwo();
    const flavorId = await lab.newFlavor({ ha_mode: 'active_standby' });
    const { id, address } = await lab.createLoadBalancer({ flavorId });
    await lab.hint(id);
    await lab.reaches(id, 'ACTIVE');
    for (const engine of engines) {
      expect(lab.pairsOf(await lab.portOf(engine))).toEqual([{ address, mode: 'active-standby' }]);
    }
  });

  it('get their mode back that Neutron took, and keep what is on the port besides', async () => {
    const [engine] = await openTwo();
    const { id, address } = await lab.createLoadBalancer();
    await lab.hint(id);
    await lab.reaches(id, 'ACTIVE');
    const port = await lab.portOf(engine);
    await lab.neutron('PUT', `/ports/${port}`, {
      port: { allowed_address_pairs: [{ ip_address: '10.99.0.9' }, { ip_address: address }] },
    });
    expect(lab.pairsOf(port)).toContainEqual({ address, mode: 'active-standby' });

    await run(id);

    expect(lab.pairsOf(port)).toEqual([
      { address: '10.99.0.9', mode: 'active-standby' },
      { address, mode: 'active-active' },
    ]);
  });

  it('of many load balancers that come at once on the same ports are all there', async () => {
    const engines = await openTwo();
    const lbs = await Promise.all(Array.from({ length: 10 }, () => lab.createLoadBalancer()));
    await Promise.all(lbs.map(({ id }) => lab.hint(id)));
    for (const { id } of lbs) await lab.reaches(id, 'ACTIVE');
    for (const engine of engines) {
      const pairs = lab.pairsOf(await lab.portOf(engine)).map(({ address }) => address);
      expect(pairs.sort()).toEqual(lbs.map(({ address }) => address).sort());
    }
  });

  it('go while the VIP is withdrawn, and come back', async () => {
    const [engine] = await openTwo();
    const { id, address } = await lab.createLoadBalancer();
    await lab.hint(id);
    await lab.reaches(id, 'ACTIVE');
    await lab.db('load_balancer').where({ id }).update({ vip_withdrawn_at: '2026-01-01 00:00:00.000' });
    await run(id);
    expect(lab.pairsOf(await lab.portOf(engine))).toEqual([]);
    await lab.db('load_balancer').where({ id }).update({ vip_withdrawn_at: null });
    await run(id);
    expect(lab.pairsOf(await lab.portOf(engine))).toEqual([{ address, mode: 'active-active' }]);
  });
});

describe('an IPv6 VIP', () => {
  it('gives its engines an IPv4 address as well, which vRouters and control nodes speak with', async () => {
    const [engine] = await openTwo();
    const net = await lab.newNetwork('2001:db8:70::/64');
    const subnet = { network_id: net.networkId, cidr: '10.70.0.0/24', ip_version: 4, tenant_id: TENANT_PROJECT };
    await lab.neutron('POST', '/subnets', { subnet });
    const { id } = await lab.createLoadBalancer({ net });
    await lab.hint(id);
    await lab.reaches(id, 'ACTIVE');
    const [port] = await lab
      .db('se_vnic')
      .where({ service_engine_id: engine, network_id: net.networkId })
      .pluck('port_id');
    const addresses = lab.contrail.store
      .referrers(port, 'instance-ip')
      .map(({ properties }) => String(properties['instance_ip_address']));
    expect(addresses.map((one) => one.slice(0, 5)).sort()).toEqual(['10.70', '2001:']);
  });

  it('is not announced in a network without IPv4, and the reason is told', async () => {
    await openTwo();
    const net = await lab.newNetwork('2001:db8:70::/64');
    const { id } = await lab.createLoadBalancer({ net, flavorId: await lab.newFlavor({ vip_mode: 'bgp' }) });
    await lab.hint(id);
    await lab.reaches(id, 'ERROR');
    expect(await lab.db('event').where({ load_balancer_id: id }).pluck('message')).toContainEqual(
      expect.stringContaining('has no IPv4 subnet'),
    );
  });
});

describe('engine ports', () => {
  it('are checked by the vRouter, by one check for the group', async () => {
    const engines = await openTwo();
    const { id } = await lab.createLoadBalancer();
    await lab.hint(id);
    await lab.reaches(id, 'ACTIVE');
    const checks = lab.contrail.store.list('service-health-check');
    expect(checks.map(({ properties }) => properties['service_health_check_properties'])).toEqual([
      expect.objectContaining({ health_check_type: 'link-local', monitor_type: 'PING', delayUsecs: 300_000 }),
    ]);
    for (const engine of engines) {
      const port = lab.contrail.store.get(VMI, await lab.portOf(engine));
      expect(port?.refs['service-health-check']).toMatchObject([{ uuid: checks[0]?.uuid }]);
    }
  });
});

describe('floating IPs', () => {
  const external = () => lab.newNetwork('203.0.113.0/24', { 'router:external': true });

  async function associated(portId: string, networkId: string): Promise<string> {
    const floatingip = { floating_network_id: networkId, port_id: portId, tenant_id: TENANT_PROJECT };
    const made = (await lab.neutron('POST', '/floatingips', { floatingip })) as {
      floatingip: { id: string };
    };
    return made.floatingip.id;
  }
  const portsOf = (floatingIp: string) =>
    (lab.contrail.store.get('floating-ip', floatingIp)?.refs[VMI] ?? []).map(({ uuid }) => uuid).sort();

  it('of the tenant are spread over the engines, and again after Neutron undid that', async () => {
    const engines = await openTwo();
    const { networkId } = await external();
    const lb = await lab.createLoadBalancer();
    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'ACTIVE');
    const floatingIp = await associated(lb.portId, networkId);
    const all = [lb.portId, await lab.portOf(engines[0]), await lab.portOf(engines[1])].sort();

    await run(lb.id);
    expect(portsOf(floatingIp)).toEqual(all);
    await lab.neutron('PUT', `/floatingips/${floatingIp}`, { floatingip: { port_id: lb.portId } });
    expect(portsOf(floatingIp)).toEqual([lb.portId]);
    await run(lb.id);
    expect(portsOf(floatingIp)).toEqual(all);
    expect(lab.contrail.store.get('floating-ip', floatingIp)?.properties['floating_ip_fixed_ip_address']).toBe(
      lb.address,
    );
  });

  it('that the flavor asks for are allocated for the tenant, and given back with the load balancer', async () => {
    const engines = await openTwo();
    const { networkId } = await external();
    const before = lab.contrail.store.count();
    const flavorId = await lab.newFlavor({ floating_network: networkId });
    const lb = await lab.createLoadBalancer({ flavorId });
    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'ACTIVE');
    const [made] = lab.contrail.store.list('floating-ip');
    expect(made?.properties).toMatchObject({ floating_ip_fixed_ip_address: lb.address });
    expect(made?.refs['project']).toMatchObject([{ uuid: TENANT_PROJECT }]);
    expect(portsOf(made?.uuid ?? '')).toEqual(
      [lb.portId, await lab.portOf(engines[0]), await lab.portOf(engines[1])].sort(),
    );

    await lab.startDelete(lb.id);
    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'DELETED');
    expect(lab.contrail.store.list('floating-ip')).toEqual([]);
    expect(before['floating-ip']).toBeUndefined();
  });

  it('are refused with the reason in a network that is not external', async () => {
    await openTwo();
    const { networkId } = await lab.newNetwork('10.77.0.0/24');
    const flavorId = await lab.newFlavor({ floating_network: networkId });
    const { id } = await lab.createLoadBalancer({ flavorId });
    await lab.hint(id);
    await lab.reaches(id, 'ERROR');
    expect(await lab.db('event').where({ load_balancer_id: id }).pluck('message')).toContainEqual(
      expect.stringContaining('is not external'),
    );
  });

  it.each([
    ['IPv6', '2001:db8:60::/64', /^2001:db8:ff:/],
    ['IPv4', '10.61.0.0/24', /^203\.0\.113\./],
  ])('are of the family of the VIP in a network of both, by %s', async (_family, cidr, expected) => {
    await openTwo();
    const { networkId } = await external();
    const subnet = { network_id: networkId, cidr: '2001:db8:ff::/64', ip_version: 6, tenant_id: TENANT_PROJECT };
    await lab.neutron('POST', '/subnets', { subnet });
    const net = await lab.newNetwork(cidr);
    const flavorId = await lab.newFlavor({ floating_network: networkId });
    const lb = await lab.createLoadBalancer({ flavorId, net });
    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'ACTIVE');
    const [made] = lab.contrail.store.list('floating-ip');
    expect(made?.properties).toMatchObject({ floating_ip_fixed_ip_address: lb.address });
    expect(made?.properties['floating_ip_address']).toMatch(expected);
  });

  it.each([
    ['a network', false],
    ['a subnet', true],
  ] as const)('are refused with the reason in %s of the other family', async (_where, isNamed) => {
    await openTwo();
    const { networkId, subnetId } = await external();
    const flavorId = await lab.newFlavor({
      floating_network: networkId,
      ...(isNamed && { floating_subnet: subnetId }),
    });
    const net = await lab.newNetwork('2001:db8:60::/64');
    const { id } = await lab.createLoadBalancer({ flavorId, net });
    await lab.hint(id);
    await lab.reaches(id, 'ERROR');
    expect(await lab.db('event').where({ load_balancer_id: id }).pluck('message')).toContainEqual(
      expect.stringContaining('has no IPv6 addresses'),
    );
    expect(lab.contrail.store.list('floating-ip')).toEqual([]);
  });

  it('come from the subnet that the flavor names', async () => {
    await openTwo();
    const { networkId } = await external();
    const subnet = { network_id: networkId, cidr: '198.51.100.0/24', ip_version: 4, tenant_id: TENANT_PROJECT };
    const made = (await lab.neutron('POST', '/subnets', { subnet })) as { subnet: { id: string } };
    const flavorId = await lab.newFlavor({ floating_network: networkId, floating_subnet: made.subnet.id });
    const { id } = await lab.createLoadBalancer({ flavorId });
    await lab.hint(id);
    await lab.reaches(id, 'ACTIVE');
    const [floatingIp] = lab.contrail.store.list('floating-ip');
    expect(floatingIp?.properties['floating_ip_address']).toMatch(/^198\.51\.100\./);
  });
});

it('an engine that goes leaves floating IPs first: the others keep them', async () => {
  const [first, second] = await openTwo();
  const { networkId } = await lab.newNetwork('203.0.113.0/24', { 'router:external': true });
  const flavorId = await lab.newFlavor({ floating_network: networkId, scaleout: 2 });
  const lb = await lab.createLoadBalancer({ flavorId });
  await lab.hint(lb.id);
  await lab.reaches(lb.id, 'ACTIVE');
  const gone = await lab.portOf(first);
  const stays = await lab.portOf(second);
  const [floatingIp] = lab.contrail.store.list('floating-ip');

  // Dead, so that nothing is awaited of it.
  await lab.db('service_engine').where({ id: first }).update({ deleting: 1, status: 'DOWN', connected_to: null });
  await lab.bus.publish(HINTS_TOPIC, { method: 'engine', args: { id: first } });
  await waitUntil(
    'the engine is gone',
    30_000,
    async () => (await lab.db('service_engine').where({ id: first })).length === 0,
  );

  expect(lab.contrail.store.get(VMI, gone)).toBeUndefined();
  const left = lab.contrail.store.get('floating-ip', floatingIp?.uuid ?? '');
  expect((left?.refs[VMI] ?? []).map(({ uuid }) => uuid)).toEqual(expect.arrayContaining([lb.portId, stays]));
  expect(left?.properties['floating_ip_fixed_ip_address']).toBe(lb.address);
});

it('a VIP that a static route leads to has the engines for next hops, and no pair', async () => {
  lab = await startContrailLab();
  const transit = await lab.newNetwork('10.66.0.0/24');
  const routing = {
    staticRoutes: [{ destination: '10.60.0.0/16', nextHop: '10.66.0.1', subnetId: transit.subnetId }],
    preferStaticRoutes: false,
    enableVipStaticRoutes: true,
  };
  await lab.start({ routing });
  const { id, address } = await lab.createLoadBalancer();
  await lab.hint(id);
  await lab.reaches(id, 'ACTIVE');
  const [port] = await lab.db('se_vnic').where({ network_id: transit.networkId }).pluck('port_id');
  const table = lab.contrail.store.get('interface-route-table', id);
  expect(table?.properties['interface_route_table_routes']).toMatchObject({ route: [{ prefix: `${address}/32` }] });
  expect(lab.contrail.store.get(VMI, port)?.refs['interface-route-table']).toMatchObject([{ uuid: id }]);
  expect(lab.pairsOf(port)).toEqual([]);

  await lab.startDelete(id);
  await lab.hint(id);
  await lab.reaches(id, 'DELETED');
  expect(lab.contrail.store.list('interface-route-table')).toEqual([]);
});

it('the configuration chooses for new load balancers alone, and engines that announce are on different hosts', async () => {
  lab = await startContrailLab({ group: { maxEngines: 2, minScaleout: 2, hostRedundancy: false } });
  const second = await lab.newEngine();
  await lab.db('service_engine').whereNot({ id: second }).update({ host: 'host-2' });
  await lab.start();
  const first = await lab.createLoadBalancer();
  await lab.hint(first.id);
  await lab.reaches(first.id, 'ACTIVE');
  Object.assign(lab.wiring.settings, { vipMode: 'bgp' });
  await run(first.id);
  expect((await lab.row(first.id)).vip_mode).toBe('aap');

  await lab.db('service_engine').update({ host: 'host-2' });
  const other = await lab.createLoadBalancer();
  await lab.hint(other.id);
  await waitUntil('a violation is told', 30_000, async () => (await lab.events('BGP_HOST_SHARED')).length > 0);
  expect((await lab.row(other.id)).vip_mode).toBe('bgp');
});
