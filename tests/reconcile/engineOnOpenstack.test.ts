import { NoRoleError } from '../../driver/clouds/keystone/http/noRole';
import { findEngine, retireEngine } from '../../driver/db/engines';
import { listVnics } from '../../driver/db/vnics';
import { ConflictError } from '../../driver/domain/errors';
import { createEngineGroups } from '../../driver/reconcile/engineGroups';
import { reconcileEngine } from '../../driver/reconcile/engineUnit';
import { addTenantSubnet, type EngineStage, setEngineStage, TENANT } from '../support/engineOnOpenstack';

let stage: EngineStage;
beforeEach(async () => {
  stage = await setEngineStage();
});
afterEach(() => stage.close());

const run = (id: string) => reconcileEngine(stage.parts, id);
const nova = () => stage.site.compute.nova;
const servers = () => [...nova().model.servers.values()];
const ports = () => [...stage.site.network.cloud.network.model.ports.all()];
const vnicPorts = () => ports().filter(({ network_id }) => network_id === TENANT.networkId);
const managementPorts = () => ports().filter(({ network_id }) => network_id === stage.site.managementNetworkId);

/** An engine that has called home, with its vNICs plugged in. */
async function aReadyEngine(...domains: string[]): Promise<string> {
  const id = await stage.newEngine();
  for (const domain of domains) await stage.need(id, domain);
  await run(id);
  await stage.comeUp(id);
  expect(await run(id)).toEqual({ kind: 'settled' });
  return id;
}

describe('an engine in the project of its user', () => {
  it('has everything of it there, and takes everything with it when it goes', async () => {
    const { db, site, parts } = stage;
    const { onGone, vnicPort } = createEngineGroups({ db, network: parts.network, ownerTag: 'slipstream' });
    const there = (id: string) => reconcileEngine({ ...parts, onGone, vnicPort }, id);
    const id = await stage.newEngine();
    await db('service_engine').where({ id }).update({ owner_project_id: 'theirs' });
    await stage.need(id);
    await there(id);
    await stage.comeUp(id);
    expect(await there(id)).toEqual({ kind: 'settled' });

    expect(servers().map(({ projectId }) => projectId)).toEqual(['theirs']);
    expect([...nova().model.groups.values()].map((group) => group.project_id)).toEqual(['theirs']);
    expect([...managementPorts(), ...vnicPorts()].map(({ project_id }) => project_id)).toEqual(['theirs', 'theirs']);
    const groups = await site.network.driver.listSecurityGroups({ tag: 'slipstream' });
    expect(groups.map(({ projectId }) => projectId)).toEqual(['theirs']);
    expect(vnicPorts()[0]?.security_groups).toEqual(groups.map((group) => group.id));

    await db('service_engine').where({ id }).update({ connected_to: null });
    await retireEngine(db, id);
    await there(id);
    await there(id);
    expect(await findEngine(db, id)).toBeUndefined();
    expect(servers()).toEqual([]);
    expect([...nova().model.groups.values()]).toEqual([]);
    expect([...managementPorts(), ...vnicPorts()]).toEqual([]);
    expect(await site.network.driver.listSecurityGroups({ tag: 'slipstream' })).toEqual([]);
  });

  it('says why it cannot be made where this service has no role', async () => {
    const id = await stage.newEngine();
    await stage.db('service_engine').where({ id }).update({ owner_project_id: 'theirs' });
    const refuse = async () => {
      throw new NoRoleError('theirs', '401');
    };

    await reconcileEngine({ ...stage.parts, compute: { ...stage.parts.compute, prepareGroup: refuse } }, id);

    expect(await stage.events('ENGINE_FAILED')).toEqual([
      expect.stringMatching(/does not let this service into project theirs: its user needs a role there/),
    ]);
  });
});

describe('the management port', () => {
  it('is there before the server, so that the address is known while nothing has booted', async () => {
    nova().behaviour.bootsSlowly = true;
    const id = await stage.newEngine();

    await run(id);

    const [port, ...others] = managementPorts();
    expect(others).toEqual([]);
    expect(port).toMatchObject({
      name: `slipstream-mgmt-${id}`,
      description: `slipstream engine ${id}`,
      project_id: stage.site.projectId,
      device_id: servers()[0]?.id,
    });
    expect(servers()[0]?.ports).toEqual([expect.objectContaining({ id: port?.id })]);
    expect((await stage.engine(id)).managementAddress).toBe(port?.fixed_ips[0]?.ip_address);
  });

  it('is another one for the next server, as long as the last one has it', async () => {
    Object.assign(nova().behaviour, { hosts: [], deletesSlowly: true });
    const id = await stage.newEngine();
    await run(id);
    const [first] = managementPorts();
    // The server is in ERROR: it is taken away, and Nova takes its time.
    await run(id);
    nova().behaviour.hosts = ['compute-1'];

    await run(id);
    await nova().model.finishDeletions();

    const [port, ...others] = managementPorts();
    expect(others).toEqual([]);
    expect(port?.id).not.toBe(first?.id);
    expect(servers()).toEqual([
      expect.objectContaining({ status: 'ACTIVE', ports: [expect.objectContaining({ id: port?.id })] }),
    ]);
    expect((await stage.engine(id)).managementAddress).toBe(port?.fixed_ips[0]?.ip_address);
  });

  it('is kept, and its engine replaced, when somebody has deleted it and the engine calls no more', async () => {
    const id = await aReadyEngine();
    await stage.site.network.driver.deletePort(managementPorts()[0]?.id ?? '');
    expect(await run(id)).toEqual({ kind: 'settled' });

    await stage.db('service_engine').where({ id }).update({ connected_to: null, status: 'DOWN' });
    await run(id);

    expect((await stage.engine(id)).deleting).toBe(true);
    expect(await stage.events('ENGINE_LOST')).toEqual([
      expect.stringContaining('its port in the management network is gone'),
    ]);
  });
});

describe('the vNICs of an engine', () => {
  it('are plugged in once its server is up, and recorded', async () => {
    nova().behaviour.bootsSlowly = true;
    const id = await stage.newEngine();
    const vnicId = await stage.need(id);
    await run(id);
    expect(vnicPorts()).toEqual([expect.objectContaining({ device_id: '', name: `slipstream-vnic-${vnicId}` })]);
    expect(await stage.events('ENGINE_VNIC_FAILED')).toEqual([]);

    nova().model.finishBoots();
    await run(id);

    const [port] = vnicPorts();
    expect(port).toMatchObject({ device_id: servers()[0]?.id, project_id: stage.site.projectId });
    expect(servers()[0]?.ports.map((it) => it.id)).toEqual([managementPorts()[0]?.id, port?.id]);
    expect(await listVnics(stage.db, id)).toMatchObject([
      { portId: port?.id, macAddress: port?.mac_address, ipAddress: port?.fixed_ips[0]?.ip_address },
    ]);
  });

  it('are freed and plugged in again when their network could not bind them', async () => {
    const id = await aReadyEngine('domain-1');
    const [server] = servers();
    const failed = vnicPorts()[0]?.id;
    const { network } = stage.parts;
    let freed = false;
    // As Neutron and Nova show it: the port has its server, which goes on listing it.
    const broken: typeof network = {
      ...network,
      listPorts: async (filter) =>
        (await network.listPorts(filter)).map((port) =>
          port.id === failed && !freed ? { ...port, bindingFailed: true } : port,
        ),
      async updatePort(portId, change, options) {
        freed ||= portId === failed && change.unbind === true && change.deviceId === '';
        if (freed && server) nova().model.servers.set(server.id, { ...server, ports: server.ports.slice(0, 1) });
        return network.updatePort(portId, change, options);
      },
    };

    await reconcileEngine({ ...stage.parts, network: broken }, id);

    expect(freed).toBe(true);
    expect(servers()[0]?.ports.map((port) => port.id)).toContain(failed);
    expect(vnicPorts()).toMatchObject([{ id: failed, device_id: server?.id }]);
    expect(await run(id)).toEqual({ kind: 'settled' });
  });

  it('are plugged in all at the same time, and one that is refused keeps none of the others', async () => {
    const id = await aReadyEngine();
    for (const domain of ['domain-1', 'domain-2', 'domain-3']) await stage.need(id, domain);
    const { compute } = stage.parts;
    let calls = 0;
    let open: () => void = () => undefined;
    const allThere = new Promise<void>((resolve) => {
      open = resolve;
    });
    const together: typeof compute = {
      ...compute,
      async attachPort(serverId, portId) {
        calls += 1;
        const isFirst = calls === 1;
        if (calls === 3) open();
        await allThere;
        if (isFirst) throw new ConflictError('not this one');
        await compute.attachPort?.(serverId, portId);
      },
    };

    expect(await reconcileEngine({ ...stage.parts, compute: together }, id)).toMatchObject({
      kind: 'waiting',
      reason: 'not this one',
    });
    expect(servers()[0]?.ports).toHaveLength(3);

    expect(await run(id)).toEqual({ kind: 'settled' });
    expect(servers()[0]?.ports).toHaveLength(4);
    expect(vnicPorts()).toHaveLength(3);
  });

  it('come and go while it serves: unplugged first, then deleted', async () => {
    const id = await aReadyEngine('domain-1');
    const second = await stage.need(id, 'domain-2');
    expect(await run(id)).toEqual({ kind: 'settled' });
    expect(servers()[0]?.ports).toHaveLength(3);

    await stage.db('se_vnic').where({ id: second }).update({ deleting: 1 });
    nova().calls.length = 0;
    expect(await run(id)).toEqual({ kind: 'settled' });

    expect(servers()[0]?.ports).toHaveLength(2);
    expect(vnicPorts()).toHaveLength(1);
    expect(await listVnics(stage.db, id)).toHaveLength(1);
    expect(nova().calls.filter((call) => call.startsWith('DELETE'))).toEqual([expect.stringContaining('os-interface')]);
  });

  it('stay as they are when nothing has changed', async () => {
    const id = await aReadyEngine('domain-1', 'domain-2');
    nova().calls.length = 0;

    expect(await run(id)).toEqual({ kind: 'settled' });

    expect(nova().calls.filter((call) => !call.startsWith('GET'))).toEqual([]);
  });

  it('get an address in every subnet that they come to be wanted in', async () => {
    const id = await aReadyEngine('domain-1');
    const subnetId = await addTenantSubnet(stage);
    await stage.need(id, 'domain-1', [TENANT.subnetId, subnetId]);
    const [before] = vnicPorts();

    expect(await run(id)).toEqual({ kind: 'settled' });

    const [port] = vnicPorts();
    expect(port?.fixed_ips.map(({ subnet_id }) => subnet_id)).toEqual([TENANT.subnetId, subnetId]);
    expect(port?.fixed_ips[0]).toEqual(before?.fixed_ips[0]);
  });

  it('are plugged in again when somebody has pulled them out, and made again when somebody has deleted them', async () => {
    const id = await aReadyEngine('domain-1');
    const [first] = vnicPorts();
    await nova().model.detach(servers()[0]?.id ?? '', first?.id ?? '');
    await run(id);
    expect(servers()[0]?.ports.map((it) => it.id)).toContain(first?.id);

    await nova().model.detach(servers()[0]?.id ?? '', first?.id ?? '');
    await stage.site.network.driver.deletePort(first?.id ?? '');
    await run(id);

    const [port, ...others] = vnicPorts();
    expect(others).toEqual([]);
    expect(servers()[0]?.ports.map((it) => it.id)).toContain(port?.id);
    expect(await listVnics(stage.db, id)).toMatchObject([{ portId: port?.id }]);
  });

  it.each([
    [500, 'Failed to attach network adapter device to it'],
    [400, 'Maximum number of ports exceeded'],
  ])(
    'do not keep each other when Nova refuses one by %i, which is told of and tried again',
    async (status, message) => {
      const id = await aReadyEngine();
      const [bad, good] = [await stage.need(id, 'domain-1'), await stage.need(id, 'domain-2')];
      const isBad = (portId: string) => ports().find((port) => port.id === portId)?.name === `slipstream-vnic-${bad}`;
      nova().behaviour.refusePort = (portId) => (isBad(portId) ? { status, message } : undefined);

      for (let attempt = 0; attempt < 3; attempt += 1) {
        expect(await run(id)).toMatchObject({ kind: 'waiting', reason: message });
      }

      const plugged = servers()[0]?.ports.map((it) => ports().find((port) => port.id === it.id)?.name);
      expect(plugged).toContain(`slipstream-vnic-${good}`);
      expect(plugged).not.toContain(`slipstream-vnic-${bad}`);
      expect(await stage.events('ENGINE_VNIC_FAILED')).toEqual([expect.stringContaining(message)]);

      nova().behaviour.refusePort = undefined;
      expect(await run(id)).toEqual({ kind: 'settled' });
      expect(servers()[0]?.ports).toHaveLength(3);
    },
  );

  it('are waited for while Nova plugs them in or out, which it may take its time for', async () => {
    const id = await aReadyEngine();
    nova().behaviour.plugsSlowly = true;
    const vnicId = await stage.need(id, 'domain-1');
    // The call has no answer in time, and Nova goes on.
    expect(await run(id)).toMatchObject({ kind: 'waiting' });
    const asked = await stage.events('ENGINE_VNIC_FAILED');
    nova().calls.length = 0;
    expect(await run(id)).toMatchObject({ kind: 'waiting', reason: expect.stringContaining('is being plugged in') });
    expect(nova().calls.filter((call) => call.startsWith('POST'))).toEqual([]);

    await nova().model.finishPlugging();
    expect(await run(id)).toEqual({ kind: 'settled' });
    expect(servers()[0]?.ports).toHaveLength(2);

    await stage.db('se_vnic').where({ id: vnicId }).update({ deleting: 1 });
    expect(await run(id)).toMatchObject({ kind: 'waiting', reason: expect.stringContaining('is being unplugged') });
    expect(vnicPorts()).toHaveLength(1);
    await nova().model.finishPlugging();
    expect(await run(id)).toEqual({ kind: 'settled' });
    expect(vnicPorts()).toEqual([]);
    expect(await stage.events('ENGINE_VNIC_FAILED')).toEqual(asked);
  });

  it('are plugged in anew when Nova has broken off', async () => {
    const id = await aReadyEngine();
    await stage.need(id, 'domain-1');
    nova().behaviour.plugsSlowly = true;
    await run(id);
    nova().behaviour.plugsSlowly = false;
    await stage.db('service_engine').where({ id }).update({ attempts: 10 });

    expect(await run(id)).toEqual({ kind: 'settled' });

    expect(servers()[0]?.ports).toHaveLength(2);
  });

  it('are told of when their network is gone', async () => {
    const id = await aReadyEngine();
    await stage.need(id, 'domain-1');
    await stage.db('se_vnic').update({ network_id: 'nowhere' });

    expect(await run(id)).toMatchObject({ kind: 'waiting', reason: expect.stringContaining('nowhere') });

    expect(await stage.events('ENGINE_VNIC_FAILED')).toHaveLength(1);
  });

  it('go with their engine, and so does everything else of it', async () => {
    const before = ports().map(({ id }) => id);
    const id = await aReadyEngine('domain-1', 'domain-2');
    await retireEngine(stage.db, id);

    expect(await run(id)).toEqual({ kind: 'settled' });

    expect(await findEngine(stage.db, id)).toBeUndefined();
    expect(servers()).toEqual([]);
    expect(ports().map((port) => port.id)).toEqual(before);
  });

  it('leave no server group behind when they were the last of their group', async () => {
    const [first, last] = [await aReadyEngine(), await aReadyEngine()];
    const groups = () => [...nova().model.groups.values()];
    expect(groups()).toHaveLength(1);
    for (const id of [first, last]) await retireEngine(stage.db, id);
    nova().behaviour.deletesSlowly = true;

    await run(first);
    expect(groups()).toHaveLength(1);
    await run(last);
    expect(groups()).toEqual([]);
  });

  it('leave ports of others alone, whatever these are called', async () => {
    const id = await stage.newEngine();
    const theirs = { projectId: 'project-1', networkId: TENANT.networkId, fixedIps: [], adminStateUp: true };
    await stage.site.network.driver.createPort({
      ...theirs,
      name: 'slipstream-vnic-mine',
      deviceId: '',
      deviceOwner: '',
    });
    await run(id);
    await retireEngine(stage.db, id);

    await run(id);

    expect(vnicPorts()).toEqual([expect.objectContaining({ name: 'slipstream-vnic-mine' })]);
  });
});

describe('a server behind our back', () => {
  const server = () => {
    const [only] = servers();
    if (!only) throw new Error('there is no server');
    return only;
  };

  it('is missed when it was deleted: its engine is replaced and told of', async () => {
    const id = await aReadyEngine('domain-1');
    await nova().model.remove(server().id);

    await run(id);
    expect((await stage.engine(id)).deleting).toBe(true);
    expect(await stage.events('ENGINE_LOST')).toEqual([
      expect.stringContaining('is gone, and this service has not deleted it'),
    ]);

    await stage.db('service_engine').where({ id }).update({ connected_to: null });
    await run(id);
    expect(await findEngine(stage.db, id)).toBeUndefined();
    expect([...managementPorts(), ...vnicPorts()]).toEqual([]);
  });

  it('is replaced when it was rebuilt, and not when it was given another size', async () => {
    const id = await aReadyEngine();
    nova().model.resize(server().id);
    expect(await run(id)).toEqual({ kind: 'settled' });

    nova().model.rebuild(server().id);
    await run(id);

    expect((await stage.engine(id)).deleting).toBe(true);
    expect(await stage.events('ENGINE_LOST')).toEqual([expect.stringContaining('was rebuilt')]);
  });

  it.each(['SHUTOFF', 'PAUSED'] as const)('is told of once when it is %s, and kept', async (status) => {
    const id = await aReadyEngine();
    server().status = status;

    for (let look = 0; look < 3; look += 1) expect(await run(id)).toEqual({ kind: 'settled' });

    expect(await stage.events('ENGINE_SERVER_STOPPED')).toEqual([expect.stringContaining(`is ${status}`)]);
    expect(servers()).toHaveLength(1);
  });

  it('is left alone in ERROR as long as its engine calls, and replaced when it does not', async () => {
    const id = await aReadyEngine();
    Object.assign(server(), { status: 'ERROR', fault: 'Live migration failed' });
    expect(await run(id)).toEqual({ kind: 'settled' });
    expect(servers()).toHaveLength(1);

    await stage.db('service_engine').where({ id }).update({ connected_to: null, status: 'DOWN' });
    await run(id);

    expect(await stage.events('ENGINE_LOST')).toEqual([expect.stringContaining('Live migration failed')]);
  });

  it('stays ours under another name, and without its tags', async () => {
    const id = await aReadyEngine();
    Object.assign(server(), { name: 'renamed by somebody', tags: [] });

    expect(await run(id)).toEqual({ kind: 'settled' });

    expect(servers()).toHaveLength(1);
  });
});

describe('a server that cannot be made', () => {
  it.each([
    ['its image is missing', { imageTag: 'missing' }, 'There is no active image with the tag "missing".'],
    ['its flavor is missing', { computeFlavor: 'm1.none' }, 'There is no flavor m1.none.'],
  ])('because %s is told of in plain words, once', async (_, kind, words) => {
    const id = await stage.newEngine();
    const { imageTag = null, computeFlavor = null } = kind as { imageTag?: string; computeFlavor?: string };
    await stage.db('service_engine').where({ id }).update({ image_tag: imageTag, compute_flavor: computeFlavor });

    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect(await run(id)).toMatchObject({ kind: 'waiting', reason: words });
    }

    expect(await stage.events('ENGINE_FAILED')).toEqual([expect.stringContaining(words)]);
    expect(servers()).toEqual([]);
    expect(managementPorts()).toHaveLength(1);
  });

  it('is of the flavor and image that its engine is to have', async () => {
    const id = await stage.newEngine();
    await stage
      .db('service_engine')
      .where({ id })
      .update({ image_tag: 'blue', compute_flavor: 'm1.big', availability_zone: 'az-2' });

    await run(id);

    expect(servers()).toMatchObject([{ imageId: 'image-blue', flavorId: 'big', availabilityZone: 'az-2' }]);
  });
});
