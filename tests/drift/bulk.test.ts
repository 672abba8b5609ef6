import { randomUUID } from 'node:crypto';
import { vipPortNames } from '../../driver/clouds/network/port';
import { vnicPortName } from '../../driver/domain/engine';
import { insertEngine, insertLoadBalancer } from '../support/rows';
import type { Entity } from '../support/simulators/contrail/database';
import { waitUntil } from '../support/wait';
import { type AuditStage, openAuditStage } from '../support/wiringAudit';

jest.setTimeout(120_000);

let stage: AuditStage;
afterEach(() => stage.lab.close());

const PAIRS = 'virtual_machine_interface_allowed_address_pairs';
const PER_ENGINE = 40;

/** A fleet in the database and in Contrail, as if it had grown there. */
async function grow({ engines, loadBalancers }: { engines: number; loadBalancers: number }): Promise<string[]> {
  const { lab } = stage;
  const lb = await stage.served();
  // A run of the model's would take the copies, which are in its name, for strays.
  await waitUntil('nobody is at work', 30_000, async () => lab.busy() === 0);
  const [model] = stage.engines;
  const { db, net } = lab;
  const snapshot = lab.contrail.faults.snapshot();
  const find = (uuid: string): Entity => {
    const found = snapshot.entities.find((one) => one.uuid === uuid);
    if (!found) throw new Error(`${uuid} is not there`);
    return found;
  };
  const [enginePort, vipPort] = [find(model?.portId ?? ''), find(lb.portId)];
  const address = [...snapshot.entities].find((one) => one.type === 'instance-ip') as Entity;
  const made: Entity[] = [];
  const copy = (of: Entity, uuid: string, name: string): Entity => {
    const port = { ...structuredClone(of), uuid, fqName: [...of.fqName.slice(0, -1), name] };
    port.properties.set('display_name', name);
    const ip = { ...structuredClone(address), uuid: randomUUID(), fqName: [uuid] };
    ip.properties.set('instance_ip_address', `10.60.255.${made.length}`);
    ip.refs.set('virtual-machine-interface', new Map([[uuid, { attr: null, relaxed: false }]]));
    made.push(port, ip);
    return port;
  };
  const ports: { id: string; engineId: string; pairs: object[] }[] = [];
  for (let count = 0; count < engines; count += 1) {
    const [engineId, vnicId, portId] = [randomUUID(), randomUUID(), randomUUID()];
    await insertEngine(db, {
      id: engineId,
      service_engine_group_id: lab.groupId,
      slots: 1_000,
      settled_generation: 1,
      generation: 1,
    });
    const [row] = await db('se_vnic').where({ port_id: model?.portId ?? '' });
    await db('se_vnic').insert({ ...row, id: vnicId, service_engine_id: engineId, port_id: portId });
    const pairs: object[] = [];
    copy(enginePort, portId, vnicPortName(vnicId)).properties.set(PAIRS, { allowed_address_pair: pairs } as never);
    ports.push({ id: portId, engineId, pairs });
  }
  const wiring: object[] = [];
  for (let count = 0; count < loadBalancers; count += 1) {
    const [id, portId, ip] = [randomUUID(), randomUUID(), `10.60.${Math.floor(count / 200)}.${(count % 200) + 20}`];
    await insertLoadBalancer(
      db,
      {
        id,
        project_id: randomUUID(),
        generation: 1,
        settled_generation: 1,
        provisioning_status: 'ACTIVE',
        vip_mode: 'aap',
      },
      { ip_address: ip, port_id: portId, subnet_id: net.subnetId, network_id: net.networkId },
    );
    copy(vipPort, portId, vipPortNames(id).name);
    for (const shift of [0, 1]) {
      const port = ports[(count + shift) % ports.length];
      port?.pairs.push({ ip: { ip_prefix: ip, ip_prefix_len: 32 }, mac: '', address_mode: 'active-active' });
      wiring.push({
        ...{
          id: randomUUID(),
          load_balancer_id: id,
          service_engine_id: port?.engineId,
          ip_address: ip,
          port_id: port?.id,
        },
        ...{ mode: 'aap', state: 'wired', created_at: '2026-01-01 00:00:00.000', updated_at: null },
      });
    }
  }
  for (let start = 0; start < wiring.length; start += PER_ENGINE)
    await db('vip_wiring').insert(wiring.slice(start, start + PER_ENGINE));
  lab.contrail.faults.restore({ ...snapshot, entities: [...snapshot.entities, ...made] });
  return ports.map(({ id }) => id);
}

it('costs a dozen calls for a thousand load balancers on fifty engines, and a few more for what has drifted', async () => {
  stage = await openAuditStage({}, { follow: 0 });
  const [port = ''] = await grow({ engines: 50, loadBalancers: 1_000 });
  stage.lab.takeRequests();

  await stage.audit();

  expect(await stage.told()).toEqual([]);
  const calls = stage.lab.takeRequests();
  expect(calls.length).toBeLessThanOrEqual(12);
  expect(calls.every((it) => /^GET|list-bulk/.test(it))).toBe(true);

  await stage.put('virtual-machine-interface', port, { [PAIRS]: { allowed_address_pair: [] } });
  stage.lab.takeRequests();
  await stage.audit();
  const lost = await stage.told();
  expect(lost).toHaveLength(40);
  // One for the history of each of them, besides the inventory.
  const reads = stage.lab.takeRequests().filter((it) => it.startsWith('GET /virtual-machine-interface/'));
  expect(reads.length).toBe(1);
});
