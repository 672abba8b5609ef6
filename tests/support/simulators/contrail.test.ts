import { type ContrailChange, type ContrailSimulator, FIXED_TOKENS, startContrailSimulator } from './contrail';
import { type ContrailClient, contrailClient } from './contrailClient';
import { startContrailCloud } from './contrailCloud';
import { issueToken } from './keystone';
import { startNovaOnContrail } from './novaOnContrail';
import { waitUntil } from './waitUntil';

describe('the Contrail simulator', () => {
  let contrail: ContrailSimulator;
  let client: ContrailClient;
  const project = ['default-domain', 'tenant'];
  beforeEach(async () => {
    contrail = await startContrailSimulator({ settle: 10 });
    client = contrailClient(contrail.url);
    await client.make('project', { fq_name: project, parent_type: 'domain' });
  });
  afterEach(() => contrail.close());

  const addGroup = (name: string): Promise<string> =>
    client.make('security-group', { fq_name: [...project, name], parent_type: 'project' });

  it('answers with a fault as often as it is told, and notes what was asked', async () => {
    contrail.faults.answer(503, { times: 2, when: ({ path }) => path.startsWith('/security-groups') });

    const statuses = [];
    for (let call = 0; call < 3; call += 1) {
      await client.call('GET', '/aaa-mode');
      statuses.push((await client.call('GET', '/security-groups')).status);
    }

    expect(statuses).toEqual([503, 503, 200]);
    expect(contrail.requests.slice(-2)).toEqual([
      { method: 'GET', path: '/aaa-mode', status: 200 },
      { method: 'GET', path: '/security-groups', status: 200 },
    ]);
  });

  it('carries a request out and loses its answer', async () => {
    contrail.faults.loseAnswers({ times: 1, when: ({ method }) => method === 'POST' });

    await expect(addGroup('lost')).rejects.toThrow();

    expect(contrail.store.named('security-group', [...project, 'lost'])).toBeDefined();
    await expect(addGroup('lost')).rejects.toThrow('already exists with uuid');
  });

  it('drops connections until it is told to stop', async () => {
    contrail.faults.dropConnections();
    await expect(client.call('GET', '/')).rejects.toThrow();
    contrail.faults.clear();

    expect((await client.call('GET', '/')).status).toBe(200);
  });

  it('is restored to what it was, and tells those who look on', async () => {
    const kept = await addGroup('kept');
    const snapshot = contrail.faults.snapshot();
    const before = contrail.store.count();
    const added = await addGroup('added');
    await client.call('DELETE', `/security-group/${kept}`);
    const changes: ContrailChange[] = [];
    contrail.store.onChange((change) => changes.push(change));

    contrail.faults.restore(snapshot);

    expect(contrail.store.count()).toEqual(before);
    expect(contrail.store.get('security-group', kept)?.name).toBe('kept');
    expect(changes).toContainEqual({ type: 'security-group', uuid: added, operation: 'DELETE' });
    expect(changes).toContainEqual({ type: 'security-group', uuid: kept, operation: 'CREATE' });
    expect((await client.call('GET', `/security-group/${added}`)).status).toBe(404);
  });

  it('sends what changes to those who watch', async () => {
    const stop = new AbortController();
    const answer = await fetch(`${contrail.url}/watch?resource_type=security_group`, { signal: stop.signal });
    let seen = '';
    const reading = (async () => {
      for await (const chunk of answer.body ?? []) seen += Buffer.from(chunk as Uint8Array).toString();
    })().catch(() => undefined);
    const uuid = await addGroup('watched');

    await waitUntil(() => seen.includes('event: create') && seen.includes(uuid), 30_000);
    expect(seen).toContain('event: init');
    stop.abort();
    await reading;
  });

  it('keeps its pace with more than a thousand objects', async () => {
    const network = [...project, 'net'];
    const ipam_subnets = [{ subnet: { ip_prefix: '10.1.0.0', ip_prefix_len: 16 } }];
    const ipam = { to: ['default-domain', 'default-project', 'default-network-ipam'], attr: { ipam_subnets } };
    const networkId = await client.make('virtual-network', {
      ...{ fq_name: network, parent_type: 'project', network_ipam_refs: [ipam] },
    });
    const add = async (first: number, count: number): Promise<number> => {
      const start = process.cpuUsage();
      for (let port = first; port < first + count; port += 1) {
        const fq_name = [...project, `port-${port}`];
        const refs = { virtual_network_refs: [{ to: network }] };
        const uuid = await client.make('virtual-machine-interface', { fq_name, parent_type: 'project', ...refs });
        const ports = { virtual_machine_interface_refs: [{ to: fq_name }] };
        await client.make('instance-ip', { fq_name: [`ip-${port}`], ...refs, ...ports });
        await client.call('GET', `/instance-ips?back_ref_id=${uuid}&fields=instance_ip_address`);
      }
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1_000;
    };
    await add(0, 50);
    const few = await add(50, 100);
    await add(150, 500);
    const many = await add(650, 100);

    expect(contrail.store.referrers(networkId, 'virtual-machine-interface')).toHaveLength(750);
    // Milliseconds of the processor, of which other programs take none; growth with the number would show as tenfold.
    expect(many).toBeLessThan(few * 5 + 500);
  });
});

describe('a Contrail simulator that wants tokens', () => {
  it('takes those of a Keystone, and makes its projects its own', async () => {
    const cloud = await startContrailCloud({ auth: 'rbac' });
    try {
      const asAdmin = contrailClient(cloud.contrail.url, issueToken(cloud.keystone, 'admin', 'admin'));
      const asMember = contrailClient(cloud.contrail.url, issueToken(cloud.keystone, 'member', 'demo'));
      const body = { type: 'project', fq_name: ['default-domain', 'demo'] };

      const found = await asAdmin.call('POST', '/fqname-to-id', body);
      const refused = await asMember.call('GET', '/virtual-networks');
      const unknown = await contrailClient(cloud.contrail.url, FIXED_TOKENS.admin).call('GET', '/virtual-networks');

      expect(found).toMatchObject({ status: 200 });
      expect(found.body.uuid.replaceAll('-', '')).toBe(cloud.projectId('demo'));
      expect([refused.status, unknown.status]).toEqual([403, 401]);
      expect(refused.body).toContain('to R virtual-network in demo');
    } finally {
      await cloud.close();
    }
  });
});

describe('Nova and Neutron on the Contrail simulator', () => {
  it('plug ports into machines on hosts, and leave nothing behind', async () => {
    const booted: string[] = [];
    const nova = await startNovaOnContrail({ onBoot: ({ id }) => void booted.push(id) });
    const { cloud, compute } = nova;
    const { store } = cloud.contrail;
    try {
      const client = contrailClient(cloud.contrail.url);
      const router = await client.make('virtual-router', {
        ...{ fq_name: ['default-global-system-config', 'compute-1'], parent_type: 'global-system-config' },
      });
      const wanted = {
        ...{ name: 'engine', projectId: nova.projectId, networkId: nova.managementNetworkId, fixedIps: [] },
        ...{ deviceId: '', deviceOwner: '', adminStateUp: true },
      };
      await waitUntil(() => store.count()['route-target'] === 1, 30_000);
      const before = store.count();
      const port = await cloud.driver.createPort(wanted);
      const server = await compute.nova.model.create({
        ...{
          name: 'engine',
          projectId: null,
          imageId: 'image',
          flavorId: 'big',
          keyName: null,
          availabilityZone: null,
        },
        ...{
          securityGroups: [],
          tags: [],
          metadata: {},
          configDrive: false,
          group: null,
          networks: [{ port: port.id }],
        },
      });
      await waitUntil(() => booted.includes(server.id), 30_000);
      const plugged = store.get('virtual-machine-interface', port.id);

      expect(plugged?.refs['virtual-machine']).toEqual([{ uuid: server.id, attr: null }]);
      expect(plugged?.properties['virtual_machine_interface_bindings']).toMatchObject({
        key_value_pair: expect.arrayContaining([{ key: 'host_id', value: 'compute-1' }]),
      });
      expect(store.get('virtual-router', router)?.refs['virtual-machine']).toMatchObject([{ uuid: server.id }]);

      await compute.nova.model.remove(server.id);
      expect(await cloud.driver.findPort(port.id)).toMatchObject({ deviceId: '' });
      await cloud.driver.deletePort(port.id);
      expect(store.count()).toEqual(before);
    } finally {
      await nova.close();
    }
  });
});
