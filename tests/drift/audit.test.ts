import { TENANT_PROJECT } from '../support/contrailLab';
import { waitUntil } from '../support/wait';
import { type AuditStage, openAuditStage } from '../support/wiringAudit';

jest.setTimeout(120_000);

let stage: AuditStage;
afterEach(() => stage.lab.close());

const VMI = 'virtual-machine-interface';

const names = async (): Promise<string[]> => (await stage.told()).map((it) => it.split(':')[0] ?? '');
const quiet = async (): Promise<void> =>
  waitUntil('everybody is done', 10_000, async () => {
    const rows = await stage.lab.db('load_balancer').whereNotNull('lease_owner').select('id');
    const engines = await stage.lab.db('service_engine').whereNotNull('lease_owner').select('id');
    return rows.length + engines.length === 0;
  });

/** Of an engine. */
async function first(): Promise<string> {
  await quiet();
  const [engine] = stage.engines;
  return engine?.portId ?? '';
}

it('tells nothing and changes nothing where all is as wanted', async () => {
  stage = await openAuditStage();
  await stage.served();
  await stage.served();
  await first();
  stage.lab.takeRequests();

  await stage.audit();

  expect(await stage.told()).toEqual([]);
  expect(stage.lab.takeRequests().filter((it) => !/^GET|list-bulk/.test(it))).toEqual([]);
});

it('puts pairs back that Neutron took or reset, and tells of each once, and when it is over', async () => {
  stage = await openAuditStage();
  const lb = await stage.served();
  const other = await stage.served();
  const port = await first();
  await stage.lab.neutron('PUT', `/ports/${port}`, {
    port: { allowed_address_pairs: [{ ip_address: lb.address }] },
  });

  await stage.audit();

  expect(stage.lab.pairsOf(port)).toEqual(
    expect.arrayContaining([lb, other].map(({ address }) => ({ address, mode: 'active-active' }))),
  );
  const told = await stage.told();
  expect((await names()).sort()).toEqual(['WIRING_DRIFTED', 'WIRING_DRIFTED', 'WIRING_REPAIRED', 'WIRING_REPAIRED']);
  expect(told.join('\n')).toMatch(
    new RegExp(
      `the address pair ${lb.address} of load balancer ${lb.id} on port ${port} of engine \\S+ is active-standby instead of active-active`,
    ),
  );
  expect(told.join('\n')).toMatch(
    /Contrail says it was last changed at 20\S+ UTC, it is of project \w+, and not by whom; it is put right/,
  );
  await stage.audit();
  expect(await stage.told()).toHaveLength(4);
});

describe('floating IPs', () => {
  async function associate(portId: string): Promise<string> {
    const { networkId } = await stage.lab.newNetwork('203.0.113.0/24', { 'router:external': true });
    const floatingip = { floating_network_id: networkId, port_id: portId, tenant_id: TENANT_PROJECT };
    const made = (await stage.lab.neutron('POST', '/floatingips', { floatingip })) as { floatingip: { id: string } };
    return made.floatingip.id;
  }
  const portsOf = (id: string) =>
    (stage.lab.contrail.store.get('floating-ip', id)?.refs[VMI] ?? []).map(({ uuid }) => uuid).sort();
  const fixedOf = (id: string) =>
    stage.lab.contrail.store.get('floating-ip', id)?.properties['floating_ip_fixed_ip_address'];

  it('are spread when they are new without a word, and told of when a tenant has undone it', async () => {
    stage = await openAuditStage();
    const lb = await stage.served();
    await first();
    const all = [lb.portId, ...stage.engines.map(({ portId }) => portId)].sort();
    const floating = await associate(lb.portId);
    await stage.audit();
    await waitUntil('it is spread', 10_000, () => portsOf(floating).length === 3);
    expect(await stage.told()).toEqual([]);
    await quiet();

    await stage.lab.neutron('PUT', `/floatingips/${floating}`, { floatingip: { port_id: lb.portId } });
    await stage.audit();

    expect(portsOf(floating)).toEqual(all);
    expect(await names()).toEqual(['WIRING_DRIFTED', 'WIRING_REPAIRED']);
  });

  it('get back the address that they lost', async () => {
    stage = await openAuditStage();
    const lb = await stage.served();
    await first();
    const floating = await associate(lb.portId);
    await stage.audit();
    await waitUntil('it is spread', 10_000, () => portsOf(floating).length === 3);
    await quiet();
    await stage.put('floating-ip', floating, { floating_ip_fixed_ip_address: null });

    await stage.audit();

    expect(fixedOf(floating)).toBe(lb.address);
    expect((await stage.told()).join()).toContain(`has lost its fixed address ${lb.address}`);
  });

  it('get back the IPv6 address that they lost', async () => {
    stage = await openAuditStage();
    const { networkId } = await stage.lab.newNetwork('203.0.113.0/24', { 'router:external': true });
    const subnet = { network_id: networkId, cidr: '2001:db8:ff::/64', ip_version: 6, tenant_id: TENANT_PROJECT };
    await stage.lab.neutron('POST', '/subnets', { subnet });
    const flavorId = await stage.lab.newFlavor({ floating_network: networkId });
    const lb = await stage.served({ flavorId, net: await stage.lab.newNetwork('2001:db8:60::/64') });
    await quiet();
    const floating = stage.lab.contrail.store.list('floating-ip')[0]?.uuid ?? '';
    expect(fixedOf(floating)).toBe(lb.address);
    await stage.put('floating-ip', floating, { floating_ip_fixed_ip_address: null });

    await stage.audit();

    expect(fixedOf(floating)).toBe(lb.address);
    expect((await stage.told()).join()).toContain(`has lost its fixed address ${lb.address}`);
  });

  it('are put back on the VIP when the deletion of an engine’s port emptied them, and not when their user took them off', async () => {
    stage = await openAuditStage();
    const lb = await stage.served();
    await first();
    const floating = await associate(lb.portId);
    await stage.audit();
    await waitUntil('it is spread', 10_000, () => portsOf(floating).length === 3);
    await quiet();
    const lost = stage.engines[0]?.portId ?? '';
    await stage.lab.neutron('DELETE', `/ports/${lost}`);
    expect(portsOf(floating)).toEqual([]);

    await stage.audit();

    await waitUntil('it leads to both engines again', 20_000, () => portsOf(floating).length === 3);
    expect(portsOf(floating)).toContain(lb.portId);
    expect(portsOf(floating)).not.toContain(lost);
    expect(fixedOf(floating)).toBe(lb.address);
    await quiet();
    await stage.audit();
    await stage.lab.neutron('PUT', `/floatingips/${floating}`, { floatingip: { port_id: null } });
    await stage.audit();
    await stage.audit();
    expect(portsOf(floating)).toEqual([]);
  });
});

it('has the check of a port linked again, and made again when it is deleted, and corrected when it is changed', async () => {
  stage = await openAuditStage();
  await stage.served();
  const port = await first();
  const checkOf = (id: string) => stage.lab.contrail.store.get(VMI, id)?.refs['service-health-check'] ?? [];
  const [check] = checkOf(port);
  await stage.link(VMI, port, 'service-health-check', check?.uuid ?? '', 'DELETE');
  await stage.audit();
  expect(checkOf(port)).toHaveLength(1);

  await quiet();
  for (const { portId } of stage.engines)
    await stage.link(VMI, portId, 'service-health-check', check?.uuid ?? '', 'DELETE');
  await stage.remove('service-health-check', check?.uuid ?? '');
  await stage.audit();
  for (const { portId } of stage.engines) expect(checkOf(portId)).toHaveLength(1);

  await quiet();
  const [now] = checkOf(port);
  const properties = () =>
    stage.lab.contrail.store.get('service-health-check', now?.uuid ?? '')?.properties[
      'service_health_check_properties'
    ];
  await stage.put('service-health-check', now?.uuid ?? '', {
    service_health_check_properties: { ...(properties() as object), enabled: false },
  });
  await stage.audit();
  expect(properties()).toMatchObject({ enabled: true });
});

it('puts back what BGP as a Service lost: its member, its router, and itself', async () => {
  stage = await openAuditStage({ settings: { vipMode: 'bgp' } });
  await stage.served();
  const port = await first();
  const store = stage.lab.contrail.store;
  const service = store.list('bgp-as-a-service')[0]?.uuid ?? '';
  const isIn = (): boolean => (store.get(VMI, port)?.refs['bgp-router'] ?? []).length === 1;
  await stage.link('bgp-as-a-service', service, VMI, port, 'DELETE');
  await waitUntil('the router is gone', 10_000, () => !isIn());
  await stage.audit();
  await waitUntil('it has its router again', 10_000, isIn);

  await quiet();
  await stage.audit();
  await stage.remove('bgp-as-a-service', service);
  await waitUntil('the router is gone', 10_000, () => !isIn());
  await stage.audit();
  await waitUntil('it has its router again', 20_000, isIn);
  expect(store.list('bgp-as-a-service').map(({ uuid }) => uuid)).toEqual([service]);
  expect((await stage.told()).join()).toContain('is not in its BGP service');
});

it('shows objects under their names again, and takes them back from those they are shared with', async () => {
  stage = await openAuditStage();
  const lb = await stage.served();
  const port = await first();
  const [check] = stage.lab.contrail.store.list('service-health-check');
  await stage.put('service-health-check', check?.uuid ?? '', {
    display_name: 'mine',
    perms2: { owner: 'x', owner_access: 7, global_access: 5, share: [] },
  });
  await stage.lab.neutron('PUT', `/ports/${port}`, { port: { name: 'mine too' } });
  await stage.lab.neutron('PUT', `/ports/${lb.portId}`, { port: { name: 'and this' } });

  await stage.audit();
  await stage.audit();

  const shown = (type: string, id: string) => stage.lab.contrail.store.get(type, id)?.properties['display_name'];
  expect(shown('service-health-check', check?.uuid ?? '')).toBe(check?.name);
  expect(shown(VMI, port)).toMatch(/^slipstream-vnic-/);
  expect(shown(VMI, lb.portId)).toContain(lb.id);
  const told = await stage.told();
  expect(told.filter((it) => it.startsWith('WIRING_DRIFTED'))).toHaveLength(4);
  expect(told.filter((it) => it.startsWith('WIRING_REPAIRED'))).toHaveLength(4);
});

it('reports who else claims the address of a VIP, once, and when that is over', async () => {
  stage = await openAuditStage();
  const lb = await stage.served();
  await first();
  const made = (await stage.lab.neutron('POST', '/ports', {
    port: {
      network_id: stage.lab.net.networkId,
      tenant_id: TENANT_PROJECT,
      allowed_address_pairs: [{ ip_address: lb.address }],
    },
  })) as { port: { id: string } };

  await stage.audit();
  await stage.audit();

  expect(await stage.told()).toEqual([
    expect.stringMatching(
      new RegExp(
        `^WIRING_DISPUTED: ${lb.address}, a VIP of .* is the address pair of port ${made.port.id}.*left as it is`,
      ),
    ),
  ]);
  expect(stage.lab.pairsOf(made.port.id)).toHaveLength(1);
  await stage.lab.neutron('DELETE', `/ports/${made.port.id}`);
  await stage.audit();
  expect(await names()).toEqual(['WIRING_DISPUTED', 'WIRING_DISPUTE_OVER']);
});

it('takes away what load balancers left that are gone, as an older database brings it back', async () => {
  stage = await openAuditStage();
  const { networkId } = await stage.lab.newNetwork('203.0.113.0/24', { 'router:external': true });
  const flavorId = await stage.lab.newFlavor({ floating_network: networkId });
  const lb = await stage.served({ flavorId });
  const kept = await stage.served();
  const port = await first();
  const old = stage.lab.contrail.faults.snapshot();
  await stage.lab.startDelete(lb.id);
  await stage.lab.hint(lb.id);
  await stage.lab.reaches(lb.id, 'DELETED');
  await quiet();
  stage.lab.contrail.faults.restore(old);
  expect(stage.lab.pairsOf(port)).toHaveLength(2);

  await stage.audit();
  await stage.audit();

  expect(stage.lab.pairsOf(port)).toEqual([{ address: kept.address, mode: 'active-active' }]);
  expect(stage.lab.contrail.store.list('floating-ip')).toEqual([]);
  expect((await stage.told()).join('\n')).toContain(`WIRING_LEFTOVER_DELETED: the floating-ip`);
});
