import { randomUUID } from 'node:crypto';
import { run as runImport } from '../../../driver/cli/importOctavia';
import { type NetworkDriver, VIP_PORT_OWNER, vipPortNames } from '../../../driver/clouds/network/port';
import { SEED_IDS } from '../../../driver/clouds/network/seed';
import { connectDatabase, type Db } from '../../../driver/db/connect';
import { upgradeDatabase } from '../../../driver/db/migrate';
import { loadTree } from '../../../driver/db/tree';
import type { ImportDeps } from '../../../driver/octaviaImport/deps';
import { takeOver } from '../../../driver/octaviaImport/take';
import { type Lab, startLab } from '../../support/reconciler';
import { aNetworkCloud } from '../../support/simulators/network';
import { type RealOctavia, startRealOctavia } from './realOctavia';

jest.setTimeout(180_000);

const PROJECT = 'b0d5a2e0c0de4c6d9a2f0c0ffee00001';
let octavia: RealOctavia;
let databases = 0;
beforeAll(async () => {
  octavia = await startRealOctavia();
}, 180_000);
afterAll(() => octavia?.stop(), 60_000);

let db: Db;
let lab: Lab;
let network: NetworkDriver;
beforeEach(async () => {
  databases += 1;
  db = await connectDatabase(await octavia.createDatabase(`slipstream${databases}`));
  await upgradeDatabase(db);
  network = (await aNetworkCloud('service')).driver;
  lab = await startLab(db, { network });
  await db('service_engine').update({ slots: 100 });
  await lab.startWorker();
});
afterEach(async () => {
  await lab.close();
  await db.destroy();
});

const depsOf = (over: Partial<ImportDeps> = {}): ImportDeps => ({
  db,
  octavia: octavia.db,
  network,
  hint: (id) => lab.hint(id),
  settings: {
    providers: ['slipstream', 'amphora'],
    defaultProvider: 'slipstream',
    sctp: false,
    patience: 20,
    pendingDeadline: 60,
    poll: 20,
  },
  now: () => new Date(),
  ...over,
});
const importAll = async (step: 'take' | 'undo' | 'confirm' | 'show', id: string, deps = depsOf()) => {
  const { text, failed } = await runImport(deps, {
    ...{ connection: '', loadBalancer: [id], project: [], patience: 20, format: 'json' },
    ...(step !== 'show' && { [step]: true }),
  });
  const [line] = JSON.parse(text) as Record<string, string>[];
  return { ...line, objects: line?.['objects'], detail: line?.['detail'] ?? '', failed };
};

interface Made {
  readonly id: string;
  readonly vipPortId: string;
  readonly address: string;
  readonly amphoraPortId: string;
}

/** A load balancer with every kind of object, made through Octavia's API, and two amphorae that serve it. */
async function makeLoadBalancer(): Promise<Made> {
  const call = async (method: string, path: string, body: object) => {
    const made = await octavia.call(method, path, body);
    await octavia.settle();
    return made;
  };
  const profile = await octavia.call('POST', 'lbaas/flavorprofiles', {
    flavorprofile: { name: 'one', provider_name: 'amphora', flavor_data: '{"loadbalancer_topology": "SINGLE"}' },
  });
  const flavor = await octavia.call('POST', 'lbaas/flavors', {
    flavor: { name: `flavor-${randomUUID()}`, flavor_profile_id: profile['id'], enabled: true },
  });
  const { id = '' } = await call('POST', 'lbaas/loadbalancers', {
    loadbalancer: {
      ...{ name: 'shop', description: 'of old', project_id: PROJECT, flavor_id: flavor['id'], tags: ['a', 'b'] },
      vip_subnet_id: SEED_IDS.localSubnet,
    },
  });
  const pool = await call('POST', 'lbaas/pools', {
    pool: {
      ...{ name: 'web', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', loadbalancer_id: id, tags: ['p'] },
      session_persistence: { type: 'APP_COOKIE', cookie_name: 'JSESSIONID' },
    },
  });
  await call('POST', 'lbaas/listeners', {
    listener: {
      ...{ name: 'in', protocol: 'HTTP', protocol_port: 80, loadbalancer_id: id, default_pool_id: pool['id'] },
      ...{ allowed_cidrs: ['10.0.0.0/8', '192.0.2.0/24'], timeout_client_data: 1234, connection_limit: 17 },
      insert_headers: { 'X-Forwarded-For': 'true', 'X-Forwarded-Port': 'true' },
    },
  });
  const [listener] = await octavia.db('listener').where({ load_balancer_id: id });
  await call('POST', `lbaas/pools/${pool['id']}/members`, {
    member: { name: 'm1', address: '10.9.0.4', protocol_port: 8080, weight: 7, backup: true, monitor_port: 81 },
  });
  await call('POST', 'lbaas/healthmonitors', {
    healthmonitor: {
      ...{ name: 'hm', pool_id: pool['id'], type: 'HTTP', delay: 5, timeout: 3, max_retries: 4 },
      ...{ http_version: 1.1, domain_name: 'shop.example', url_path: '/alive', expected_codes: '200-204' },
    },
  });
  const policy = await call('POST', 'lbaas/l7policies', {
    l7policy: {
      name: 'go',
      listener_id: listener.id,
      action: 'REDIRECT_TO_URL',
      redirect_url: 'https://shop.example/',
    },
  });
  await call('POST', `lbaas/l7policies/${policy['id']}/rules`, {
    rule: { type: 'HEADER', compare_type: 'EQUAL_TO', key: 'X-Old', value: 'yes', invert: true },
  });
  return serveByAmphora(id);
}

/** The VIP's port and that of an amphora, in the twin of Neutron, as Octavia leaves them. */
async function serveByAmphora(id: string): Promise<Made> {
  const inNetwork = { networkId: SEED_IDS.localNetwork, fixedIps: [{ subnetId: SEED_IDS.localSubnet }] };
  const vip = await network.createPort({
    ...{ ...vipPortNames(id), ...inNetwork, projectId: PROJECT, deviceOwner: VIP_PORT_OWNER, adminStateUp: false },
  });
  const address = vip.fixedIps[0]?.ipAddress ?? '';
  const amphora = randomUUID();
  const port = await network.createPort({
    ...{ ...inNetwork, name: `octavia-lb-vrrp-${amphora}`, projectId: 'octavia', adminStateUp: true },
    ...{ deviceOwner: 'compute:nova', deviceId: randomUUID() },
  });
  await network.updatePort(port.id, { allowedAddressPairs: [{ ipAddress: address }, { ipAddress: '192.0.2.77' }] });
  // Octavia's no-op network driver makes ids up.
  const place = { network_id: SEED_IDS.localNetwork, subnet_id: SEED_IDS.localSubnet, octavia_owned: 1 };
  await octavia
    .db('vip')
    .where({ load_balancer_id: id })
    .update({ ...place, port_id: vip.id, ip_address: address });
  await octavia.db('amphora').insert({
    ...{ id: amphora, load_balancer_id: id, compute_id: port.deviceId, vrrp_port_id: port.id, status: 'ALLOCATED' },
    ...{ ha_ip: address, ha_port_id: vip.id, role: 'STANDALONE', cert_busy: 0 },
  });
  await octavia.db('amphora_health').insert({ amphora_id: amphora, busy: 0, last_update: octavia.db.fn.now() });
  return { id, vipPortId: vip.id, address, amphoraPortId: port.id };
}

const pairsOf = async (portId: string): Promise<string[]> =>
  ((await network.findPort(portId))?.allowedAddressPairs ?? []).map(({ ipAddress }) => ipAddress);
const enginePairs = async (): Promise<string[]> =>
  (await network.listPorts({ deviceId: lab.engineId })).flatMap(({ allowedAddressPairs }) =>
    allowedAddressPairs.map(({ ipAddress }) => ipAddress),
  );
const statusInOctavia = async (id: string): Promise<string> =>
  (await octavia.db('load_balancer').where({ id }).first('provisioning_status')).provisioning_status;

describe('an import from the real Octavia', () => {
  it('shows what it would do, and does nothing', async () => {
    const { id, address } = await makeLoadBalancer();
    const shown = await importAll('show', id);
    expect(shown).toMatchObject({ id, name: 'shop', project_id: PROJECT, vip_address: address, action: 'take' });
    expect(shown['objects']).toBe(
      '1 listeners, 1 pools, 1 members, 1 health_monitors, 1 l7policies, 1 l7rules, 1 amphorae',
    );
    expect(await db('load_balancer')).toEqual([]);
    expect(await statusInOctavia(id)).toBe('ACTIVE');
  });

  it('takes a load balancer with everything under it, keeps its port, and moves its VIP', async () => {
    const { id, vipPortId, address, amphoraPortId } = await makeLoadBalancer();
    expect(await importAll('take', id)).toMatchObject({ failed: 0, action: 'taken' });
    expect(await lab.row(id)).toMatchObject({ provisioning_status: 'ACTIVE', name: 'shop', vip_held: null });
    expect(await loadTree(db, id)).toMatchObject({
      provider: 'amphora',
      vip: { portId: vipPortId, ipAddress: address, octaviaOwned: true },
      listeners: [
        {
          name: 'in',
          connectionLimit: 17,
          timeoutClientData: 1234,
          allowedCidrs: ['10.0.0.0/8', '192.0.2.0/24'],
          insertHeaders: { 'X-Forwarded-For': 'true', 'X-Forwarded-Port': 'true' },
          policies: [{ action: 'REDIRECT_TO_URL', rules: [{ type: 'HEADER', key: 'X-Old', invert: true }] }],
        },
      ],
      pools: [
        {
          name: 'web',
          persistence: { type: 'APP_COOKIE', cookieName: 'JSESSIONID' },
          members: [{ address: '10.9.0.4', protocolPort: 8080, weight: 7, backup: true, monitorPort: 81 }],
          monitor: { type: 'HTTP', urlPath: '/alive', expectedCodes: '200-204', domainName: 'shop.example' },
        },
      ],
    });
    expect(await db('tags').orderBy('tag').pluck('tag')).toEqual(['a', 'b', 'p']);
    expect(await db('quotas').where({ project_id: PROJECT }).first()).toMatchObject({
      in_use_load_balancer: 1,
      in_use_member: 1,
    });
    expect(await pairsOf(amphoraPortId)).toEqual(['192.0.2.77']);
    expect(await enginePairs()).toEqual([address]);
    const told = lab.health.told.get(lab.engineId)?.filter((spec) => spec.id === id) ?? [];
    expect(told.map(({ answersForVips = true }) => answersForVips)).toEqual([false, true]);
  });

  it('keeps Octavia from changing what it has taken', async () => {
    const { id } = await makeLoadBalancer();
    await importAll('take', id);
    expect(await octavia.status('PUT', `lbaas/loadbalancers/${id}`, { loadbalancer: { name: 'x' } })).toBe(409);
    expect(await octavia.status('DELETE', `lbaas/loadbalancers/${id}?cascade=true`)).toBe(409);
  });

  it('gives it back as it was', async () => {
    const { id, vipPortId, address, amphoraPortId } = await makeLoadBalancer();
    const before = await octavia.db('load_balancer').where({ id }).first();
    await importAll('take', id);
    expect(await importAll('undo', id)).toMatchObject({ failed: 0, action: 'given back' });
    expect(await octavia.db('load_balancer').where({ id }).first()).toEqual(before);
    expect((await pairsOf(amphoraPortId)).sort()).toEqual(['192.0.2.77', address].sort());
    expect(await enginePairs()).toEqual([]);
    expect(await network.findPort(vipPortId)).toMatchObject({ fixedIps: [{ ipAddress: address }] });
    expect(await db('load_balancer').where({ id })).toEqual([]);
    expect(await importAll('show', id)).toMatchObject({ action: 'take' });
    expect(await importAll('take', id)).toMatchObject({ failed: 0, action: 'taken' });
  });

  it('has Octavia forget what is confirmed, and names what is left of its amphorae', async () => {
    const { id, vipPortId, amphoraPortId } = await makeLoadBalancer();
    expect(await importAll('confirm', id)).toMatchObject({ failed: 1, detail: 'no import of it is under way' });
    await importAll('take', id);
    const confirmed = await importAll('confirm', id);
    expect(confirmed).toMatchObject({ failed: 0, action: 'confirmed' });
    expect(confirmed['detail']).toContain(`port ${amphoraPortId}`);
    expect(await octavia.status('GET', `lbaas/loadbalancers/${id}`)).toBe(404);
    expect(await octavia.db('listener').where({ load_balancer_id: id })).toEqual([]);
    expect(await network.findPort(vipPortId)).toBeDefined();
    expect(await importAll('undo', id)).toMatchObject({ failed: 1 });
    expect(await importAll('confirm', id)).toMatchObject({ failed: 0 });
  });

  it('goes on where a run broke off, at whatever step', async () => {
    const steps = ['findPort', 'updatePort'] as const;
    for (const step of steps) {
      const { id, address, amphoraPortId } = await makeLoadBalancer();
      const broken: NetworkDriver = Object.create(network, {
        [step]: { value: () => Promise.reject(new Error('cut off')) },
      });
      await expect(takeOver(depsOf({ network: broken }), id)).rejects.toThrow('cut off');
      expect(await pairsOf(amphoraPortId)).toContain(address);
      expect(await importAll('take', id)).toMatchObject({ failed: 0 });
      expect(await importAll('undo', id)).toMatchObject({ failed: 0 });
      expect(await pairsOf(amphoraPortId)).toContain(address);
    }
    const { id } = await makeLoadBalancer();
    const lost = depsOf({ hint: () => Promise.reject(new Error('cut off')) });
    await expect(takeOver(lost, id)).rejects.toThrow('cut off');
    expect(await statusInOctavia(id)).toBe('PENDING_UPDATE');
    expect(await importAll('take', id)).toMatchObject({ failed: 0 });
  });

  it('leaves alone what Octavia is at work on, what no amphora serves, and what is there already', async () => {
    const { id } = await makeLoadBalancer();
    await octavia.db('load_balancer').where({ id }).update({ provisioning_status: 'PENDING_UPDATE' });
    expect(await importAll('take', id)).toMatchObject({ failed: 0, action: 'refused' });
    expect((await importAll('take', id))['detail']).toContain('PENDING_UPDATE');
    await octavia.db('load_balancer').where({ id }).update({ provisioning_status: 'ACTIVE', provider: 'ovn' });
    expect((await importAll('take', id))['detail']).toContain('its provider is ovn');
    expect(await importAll('take', randomUUID())).toMatchObject({
      action: 'refused',
      detail: 'Octavia has no such load balancer',
    });
    expect(await db('octavia_import')).toEqual([]);
  });
});
