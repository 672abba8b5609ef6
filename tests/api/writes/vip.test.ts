import { openEmbeddedNetwork } from '../../../driver/clouds/network/memory';
import type { NetworkModel } from '../../../driver/clouds/network/model/model';
import { createNetwork, type NewNetwork } from '../../../driver/clouds/network/model/networks';
import { createQosPolicy } from '../../../driver/clouds/network/model/qosPolicies';
import { createSecurityGroup } from '../../../driver/clouds/network/model/securityGroups';
import { createSubnet } from '../../../driver/clouds/network/model/subnets';
import type { NetworkDriver, PortRequest } from '../../../driver/clouds/network/port';
import { createMemoryStore } from '../../../driver/clouds/network/store';
import { DbUnavailableError } from '../../../driver/db/connect';
import { OTHER_PROJECT, PROJECT, startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';

/** Where VIPs come from, against the embedded Neutron: look-ups, choices, and what becomes of the port. */

describeOnDatabases('VIPs', ({ open, dialect }) => {
  let api: TestApi;
  let driver: NetworkDriver;
  let model: NetworkModel;
  let net: string;
  let v4: string;
  let v6: string;

  const network = (given: Partial<NewNetwork> = {}) => createNetwork(model, { name: '', projectId: PROJECT, ...given });
  const subnet = (networkId: string, cidr: string, projectId = PROJECT) =>
    createSubnet(model, { name: '', projectId, networkId, cidr });

  beforeEach(async () => {
    const embedded = await openEmbeddedNetwork({ store: createMemoryStore() });
    driver = embedded.driver;
    model = embedded.model;
    net = (await network()).id;
    v6 = (await subnet(net, 'fd00:1::/64')).id;
    v4 = (await subnet(net, '10.1.0.0/24')).id;
    api = await startTestApi({ open, network: driver });
  });
  afterEach(() => api.close());

  const MEMBER = { 'x-roles': 'member' };
  const post = (body: object, headers: Record<string, string> = MEMBER) =>
    api.post('/v2/lbaas/loadbalancers', { loadbalancer: body }, headers);
  const fault = async (body: object) => {
    const { status, body: answer } = await post(body);
    return `${status} ${answer.faultstring}`;
  };
  const ports = () => driver.listPorts({ networkId: net });
  const userPort = (more: Partial<PortRequest> = {}) =>
    driver.createPort({
      name: 'mine',
      projectId: PROJECT,
      networkId: net,
      fixedIps: [{ subnetId: v4, ipAddress: '10.1.0.77' }],
      deviceId: '',
      deviceOwner: '',
      adminStateUp: true,
      ...more,
    });

  describe('the VIP of a new load balancer', () => {
    it('is made in the subnet given, on a port that bears the load balancer s id', async () => {
      const { body } = await post({ vip_subnet_id: v4 });
      const { id, vip_port_id: portId, vip_address: address } = body.loadbalancer;

      expect(body.loadbalancer).toMatchObject({ vip_subnet_id: v4, vip_network_id: net });
      expect(await driver.findPort(portId)).toMatchObject({
        name: `octavia-lb-${id}`,
        deviceId: `lb-${id}`,
        deviceOwner: 'Octavia',
        projectId: PROJECT,
        fixedIps: [{ subnetId: v4, ipAddress: address }],
        // Octavia's ports have all of the above: this alone tells the sweep that it may be deleted.
        description: `slipstream load balancer ${id}`,
      });
      expect(await api.db('vip').first()).toMatchObject({ octavia_owned: 1 });
    });

    it('has the address asked for', async () => {
      const { body } = await post({ vip_subnet_id: v4, vip_address: '10.1.0.50' });

      expect(body.loadbalancer.vip_address).toBe('10.1.0.50');
    });

    it('takes the first IPv4 subnet of a network', async () => {
      const { body } = await post({ vip_network_id: net });

      expect(body.loadbalancer).toMatchObject({ vip_subnet_id: v4, vip_network_id: net });
    });

    it('takes the subnet of a network that holds the address', async () => {
      const { body } = await post({ vip_network_id: net, vip_address: 'fd00:1::50' });

      expect(body.loadbalancer).toMatchObject({ vip_subnet_id: v6, vip_address: 'fd00:1::50' });
    });

    it('takes over a port of the user with its address and QoS policy, and does not own it', async () => {
      const { id: qosPolicyId } = await createQosPolicy(model, { name: 'q', projectId: PROJECT });
      const port = await userPort({ qosPolicyId });
      const { body } = await post({ vip_port_id: port.id, vip_network_id: 'f'.repeat(8) + net.slice(8) });

      expect(body.loadbalancer).toMatchObject({
        vip_port_id: port.id,
        vip_address: '10.1.0.77',
        vip_subnet_id: v4,
        vip_network_id: net,
        vip_qos_policy_id: qosPolicyId,
      });
      expect(await driver.findPort(port.id)).toMatchObject({ name: 'mine', deviceId: `lb-${body.loadbalancer.id}` });
      expect(await api.db('vip').first()).toMatchObject({ octavia_owned: 0 });
      const about = { load_balancer_id: body.loadbalancer.id, resource_id: port.id };
      expect(await api.db('event').where({ name: 'VIP_PORT_TAKEN' })).toEqual([expect.objectContaining(about)]);
    });

    it('has further addresses in other subnets of its network on the same port', async () => {
      const { body } = await post({
        vip_subnet_id: v4,
        additional_vips: [{ subnet_id: v6, ip_address: 'fd00:1::5' }],
      });
      const { vip_port_id: portId, additional_vips: more } = body.loadbalancer;

      expect(more).toEqual([{ subnet_id: v6, ip_address: 'fd00:1::5', port_id: portId }]);
      expect((await driver.findPort(portId))?.fixedIps).toHaveLength(2);
    });

    it('may be in a network that is shared, and not in one of another project', async () => {
      const shared = await network({ projectId: OTHER_PROJECT, shared: true });
      const sharedSubnet = await subnet(shared.id, '10.8.0.0/24', OTHER_PROJECT);
      const foreign = await network({ projectId: OTHER_PROJECT });
      const hidden = await subnet(foreign.id, '10.9.0.0/24', OTHER_PROJECT);

      expect((await post({ vip_subnet_id: sharedSubnet.id })).status).toBe(201);
      expect(await fault({ vip_subnet_id: hidden.id })).toBe(`400 Subnet ${hidden.id} not found.`);
      expect(await fault({ vip_network_id: foreign.id })).toBe(`400 Network ${foreign.id} not found.`);
      expect((await post({ vip_subnet_id: hidden.id }, { 'x-roles': 'admin' })).status).toBe(201);
      const lenient = await startTestApi({ open, network: driver, changes: { allowInvisibleResources: true } });
      const body = { loadbalancer: { vip_subnet_id: hidden.id } };
      expect((await lenient.post('/v2/lbaas/loadbalancers', body, MEMBER)).status).toBe(201);
      await lenient.close();
    });
  });

  describe('what is refused, with no port left behind', () => {
    afterEach(async () => {
      expect((await ports()).filter(({ name }) => name !== 'mine')).toEqual([]);
    });
    const unknown = '99999999-9999-4999-8999-999999999999';

    it.each([
      [{}, '400 Validation failure: VIP must contain one of: vip_port_id, vip_network_id, vip_subnet_id.'],
      [{ vip_subnet_id: unknown }, `400 Subnet ${unknown} not found.`],
      [{ vip_network_id: unknown }, `400 Network ${unknown} not found.`],
      [{ vip_port_id: unknown }, `400 Port ${unknown} not found.`],
    ])('%j', async (body, text) => {
      expect(await fault(body)).toBe(text);
    });

    it('a subnet of another network, an address of none, a network without subnets', async () => {
      const empty = await network();
      const elsewhere = await subnet(empty.id, '10.3.0.0/24');
      const bare = await network();

      expect(await fault({ vip_network_id: net, vip_subnet_id: elsewhere.id })).toBe(
        `400 Subnet ${elsewhere.id} not found.`,
      );
      expect(await fault({ vip_network_id: net, vip_address: '10.77.0.1' })).toBe(
        '400 Validation failure: Supplied network does not contain a subnet for VIP address specified.',
      );
      expect(await fault({ vip_network_id: bare.id })).toBe(
        '400 Validation failure: Supplied network does not contain a subnet.',
      );
    });

    it('a network whose subnets are too full for what the topology needs', async () => {
      const small = await network();
      const tiny = await subnet(small.id, '10.4.0.0/30');
      expect(await driver.countFreeAddresses(tiny.id)).toBeLessThan(2);

      expect(await fault({ vip_network_id: small.id })).toBe(
        '400 Validation failure: Subnet(s) in the supplied network do not contain enough available IPs.',
      );
    });

    it('a port that is in use, or whose address is not the one meant', async () => {
      const busy = await userPort({ deviceId: 'vm-1', fixedIps: [{ subnetId: v4 }] });
      const port = await userPort();
      const two = await userPort({ fixedIps: [{ subnetId: v4 }, { subnetId: v6 }] });

      expect(await fault({ vip_port_id: busy.id })).toBe(
        `400 Validation failure: Port ${busy.id} is already used by device vm-1 `,
      );
      expect(await fault({ vip_port_id: port.id, vip_address: '10.1.0.78' })).toBe(
        '400 Validation failure: Specified VIP address not found on the specified VIP port.',
      );
      expect(await fault({ vip_port_id: port.id, vip_subnet_id: v6 })).toBe(
        '400 Validation failure: No VIP address found on the specified VIP port within the specified subnet.',
      );
      expect(await fault({ vip_port_id: two.id })).toBe(
        "400 Validation failure: VIP port's subnet could not be determined. Please specify either a VIP subnet or address.",
      );
    });

    it('additional VIPs in the same subnet or in another network', async () => {
      const other = await network();
      const elsewhere = await subnet(other.id, '10.5.0.0/24');

      expect(await fault({ vip_subnet_id: v4, additional_vips: [{ subnet_id: v4 }] })).toBe(
        '400 Validation failure: Duplicate VIP subnet(s) specified. Only one IP can be bound per subnet.',
      );
      expect(await fault({ vip_subnet_id: v4, additional_vips: [{ subnet_id: elsewhere.id }] })).toBe(
        '400 Validation failure: All VIP subnets must belong to the same network.',
      );
    });

    it('unknown QoS policies and security groups', async () => {
      expect(await fault({ vip_subnet_id: v4, vip_qos_policy_id: unknown })).toBe(
        `400 qos_policy ${unknown} not found.`,
      );
      const admin = await post({ vip_subnet_id: v4, vip_sg_ids: [unknown] }, { 'x-roles': 'admin' });
      expect(admin.body.faultstring).toBe(`Security Group ${unknown} not found.`);
    });

    it('what the network service itself refuses reads as it said', async () => {
      await userPort();

      const { status, body } = await post({ vip_subnet_id: v4, vip_address: '10.1.0.77' });

      expect(status).toBe(409);
      expect(body.faultstring).toContain('10.1.0.77');
    });

    it('a create whose project has no load balancer left', async () => {
      const strict = await startTestApi({
        open,
        network: driver,
        changes: { defaultQuotas: { ...api.changes.deps.settings.defaultQuotas, load_balancer: 0 } },
      });

      const { status, body } = await strict.post('/v2/lbaas/loadbalancers', { loadbalancer: { vip_subnet_id: v4 } });

      expect([status, body.faultstring]).toEqual([403, 'Quota has been met for resources: Load Balancer']);
      await strict.close();
    });
  });

  describe('a create whose transaction fails', () => {
    const breakInserts = () =>
      api.db.raw(
        dialect === 'sqlite'
          ? "create trigger broken before insert on load_balancer begin select raise(abort, 'broken'); end"
          : "create trigger broken before insert on load_balancer for each row signal sqlstate '45000'",
      );
    afterEach(() => api.db.raw('drop trigger if exists broken'));

    it('deletes the port it made, and leaves no row', async () => {
      await breakInserts();

      expect((await post({ vip_subnet_id: v4 })).status).toBe(500);
      expect(await ports()).toEqual([]);
      for (const table of ['load_balancer', 'vip', 'outbox', 'quotas', 'tags']) expect(await api.db(table)).toEqual([]);
    });

    it('hands the user s port back', async () => {
      const port = await userPort();
      await breakInserts();

      expect((await post({ vip_port_id: port.id })).status).toBe(500);
      expect(await driver.findPort(port.id)).toMatchObject({ deviceId: '', deviceOwner: '', name: 'mine' });
    });

    it('leaves the port alone where nobody knows whether it failed', async () => {
      const db = new Proxy(api.db, {
        get: (target, key) =>
          key === 'transaction'
            ? () => Promise.reject(new DbUnavailableError('it went away'))
            : Reflect.get(target, key, target),
      });
      const unlucky = await startTestApi({ db, network: driver });

      const { status } = await unlucky.post('/v2/lbaas/loadbalancers', { loadbalancer: { vip_subnet_id: v4 } });

      expect(status).toBe(503);
      expect(await ports()).toHaveLength(1);
      await unlucky.close();
    });
  });

  describe('an update', () => {
    it('changes QoS policy and security groups, and takes both away again', async () => {
      const { id: qos } = await createQosPolicy(model, { name: 'q', projectId: PROJECT });
      const { id: group } = await createSecurityGroup(model, { projectId: PROJECT, name: 'g' });
      const { id } = (await post({ vip_subnet_id: v4 })).body.loadbalancer;
      const put = async (body: object) => {
        await api.settle();
        return (await api.put(`/v2/lbaas/loadbalancers/${id}`, { loadbalancer: body })).body.loadbalancer;
      };

      expect(await put({ vip_qos_policy_id: qos, vip_sg_ids: [group] })).toMatchObject({
        vip_qos_policy_id: qos,
        vip_sg_ids: [group],
      });
      expect(await put({ vip_qos_policy_id: null, vip_sg_ids: null })).toMatchObject({
        vip_qos_policy_id: null,
        vip_sg_ids: [],
      });
    });

    it('refuses groups beside allowed CIDRs, and the other way round', async () => {
      const { id: group } = await createSecurityGroup(model, { projectId: PROJECT, name: 'g' });
      const { id } = (await post({ vip_subnet_id: v4 })).body.loadbalancer;
      await api.settle();
      const listener = { loadbalancer_id: id, protocol: 'TCP', protocol_port: 80, allowed_cidrs: ['10.0.0.0/8'] };
      await api.create('/v2/lbaas/listeners', 'listener', listener);
      await api.settle();

      const { status, body } = await api.put(`/v2/lbaas/loadbalancers/${id}`, {
        loadbalancer: { vip_sg_ids: [group] },
      });

      expect([status, body.faultstring]).toEqual([
        400,
        'Validation failure: Allowed CIDRs are not allowed when using custom VIP Security Groups.',
      ]);
    });
  });
});
