import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { createContrailDriver } from '../../driver/clouds/contrail/http';
import type { ContrailDriver } from '../../driver/clouds/contrail/port';
import { openVncService } from '../../driver/clouds/contrail/service';
import { createNeutronDriver } from '../../driver/clouds/network/http';
import { type NetworkDriver, VIP_PORT_OWNER, vipPortNames } from '../../driver/clouds/network/port';
import type { ContrailSettings } from '../../driver/config/contrail';
import { type Db, dbNow } from '../../driver/db/connect';
import type { ContrailParts } from '../../driver/reconcile/contrailTarget';
import { createEngineGroups } from '../../driver/reconcile/engineGroups';
import type { LoadBalancerParts } from '../../driver/reconcile/loadBalancerRun';
import { createPairWriter } from '../../driver/reconcile/pairWriter';
import { openTestDatabase } from './database';
import { createFakeCompute, type FakeCompute } from './fakeCompute';
import { type Lab, startLab } from './reconciler';
import { insertEngine, insertLoadBalancer } from './rows';
import { type ContrailSimulator, startContrailSimulator } from './simulators/contrail';
import { startNeutronOnContrail } from './simulators/neutronOnContrail';
import { aService } from './simulators/openstackService';

/** Load balancers' and engines' units on a Contrail and the Neutron in front of it. */
export interface ContrailLab extends Lab {
  readonly contrail: ContrailSimulator;
  readonly driver: ContrailDriver;
  readonly network: NetworkDriver;
  readonly compute: FakeCompute;
  readonly wiring: ContrailParts;
  /** The VIP network, and its subnet. */
  readonly net: TenantNet;
  newNetwork(cidr: string, given?: object): Promise<TenantNet>;
  neutron(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<unknown>;
  /** As the API leaves it; gives its id and address. */
  createLoadBalancer(given?: NewLoadBalancer): Promise<NewlyMade>;
  /** As the API leaves it. */
  startDelete(id: string): Promise<void>;
  newFlavor(data: object): Promise<string>;
  /** Another engine that is up. */
  newEngine(): Promise<string>;
  /** Runs units of load balancers and engines until they are settled. */
  start(given?: Partial<LoadBalancerParts>): Promise<void>;
  /** What the port of the engine in the VIP network is. */
  portOf(engineId: string): Promise<string>;
  pairsOf(portId: string): { address: string; mode: string }[];
  /** Requests to Contrail's own API since the last call of this, less those of Neutron. */
  takeRequests(): string[];
}

export interface TenantNet {
  readonly networkId: string;
  readonly subnetId: string;
}

export interface NewLoadBalancer {
  readonly flavorId?: string;
  readonly net?: TenantNet;
  readonly projectId?: string;
}

export interface NewlyMade {
  readonly id: string;
  readonly address: string;
  readonly portId: string;
}

export const SERVICE_PROJECT = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb';
export const TENANT_PROJECT = 'cccccccc-cccc-4ccc-8ccc-cccccccccccc';

export const CONTRAIL_SETTINGS: ContrailSettings = {
  vipMode: 'aap',
  healthCheck: { monitor: 'PING', interval: 300, timeout: 300, retries: 3 },
  bgp: {
    ...{ localAs: 65_100, md5Groups: [], keepalive: 3, hold: 9, connectRetry: 10 },
    ...{ bfd: { interval: 300, multiplier: 3 }, isBfdLogged: true },
  },
};

export interface ContrailLabOptions {
  readonly group?: object;
  readonly settings?: Partial<ContrailSettings>;
  /** Milliseconds of the schema transformer. */
  readonly settle?: number;
}

export async function startContrailLab(options: ContrailLabOptions = {}): Promise<ContrailLab> {
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const contrail = await startContrailSimulator({ settle: options.settle ?? 20 });
  const projects = [
    { id: SERVICE_PROJECT, name: 'service' },
    { id: TENANT_PROJECT, name: 'tenant' },
  ];
  for (const project of projects) contrail.addProject(project, { atOnce: true });
  const face = await startNeutronOnContrail({ contrail, keystone: { validate: async () => ADMIN }, projects });
  const service = aService('Neutron', face.url, 20_000);
  const network = createNeutronDriver(service);
  const vnc = openVncService({ servers: [contrail.url], log, pace: { perSecond: 10_000, burst: 10_000 } });
  const driver = createContrailDriver({ service: vnc, role: 'admin' });
  const db = await openTestDatabase();
  const wiring: ContrailParts = {
    driver,
    pairs: createPairWriter(db, driver),
    settings: { ...CONTRAIL_SETTINGS, ...options.settings },
    ownerTag: 'slipstream',
    seenServices: new Map(),
    seenWiring: new Map(),
    // However slow the machine is.
    believed: 120_000,
    routerPatience: { wait: 2_000, lookAfter: 10, pause: 50 },
  };
  const compute = createFakeCompute({ plugs: true });
  const lab = await startLab(db, {
    ...{ network, compute, group: options.group ?? { maxEngines: 1 } },
    // As the configuration has it unless told otherwise.
    concurrency: 16,
  });
  await db('service_engine').update({ slots: 1_000 });
  const parts = (given: Partial<LoadBalancerParts> = {}): LoadBalancerParts =>
    // Of another process: it has seen nothing.
    lab.parts({
      plugsVnics: true,
      contrail: { ...wiring, pairs: createPairWriter(db, driver), seenWiring: new Map() },
      networkOfSubnet: new Map(),
      ipv4Subnets: new Map(),
      ...given,
    });
  const neutron: ContrailLab['neutron'] = async (method, path, body) => {
    const answer = await service.call({ method, path: `/v2.0${path}`, ...(body && { body }) });
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const newNetwork = (cidr: string, given: object = {}) => makeNetwork(neutron, cidr, given);
  const net = await newNetwork('10.60.0.0/16');
  let taken = 0;
  return {
    ...lab,
    ...{ contrail, driver, network, compute, wiring, net, parts, neutron, newNetwork },
    createLoadBalancer: (given) => createLoadBalancer({ db, network, net }, given),
    startDelete: async (id) => {
      const change = { provisioning_status: 'PENDING_DELETE', deleting: 1, generation: db.raw('generation + 1') };
      await db('load_balancer').where({ id }).update(change);
    },
    newFlavor: (data) => newFlavor(db, data),
    newEngine: () => newEngine(lab),
    start: (given) => {
      const groups = createEngineGroups({ db, network, ownerTag: 'slipstream' });
      return lab.startWorker(parts(given), { ...groups, contrail: wiring });
    },
    async portOf(engineId) {
      const where = { service_engine_id: engineId, network_id: net.networkId };
      const [port] = await db('se_vnic').where(where).pluck('port_id');
      return port ?? '';
    },
    pairsOf: (portId) => pairsIn(contrail, portId),
    takeRequests() {
      const made = contrail.requests.slice(taken).filter(({ path }) => !path.startsWith('/neutron'));
      taken = contrail.requests.length;
      return made.map(({ method, path }) => `${method} ${path.split('?')[0]}`);
    },
    async close() {
      await lab.close();
      await vnc.close();
      await service.close();
      await face.close();
      await contrail.close();
      await db.destroy();
    },
  };
}

const ADMIN = {
  identity: {
    ...{ userId: 'slipstream', projectId: SERVICE_PROJECT, domainId: 'default', systemScope: null },
    ...{ roles: ['admin'], isAdmin: true },
  },
  expiresAt: new Date('2099-01-01'),
};

async function makeNetwork(neutron: ContrailLab['neutron'], cidr: string, given: object): Promise<TenantNet> {
  const network = { name: `net-${cidr.replace(/[/:]/g, '-')}`, tenant_id: TENANT_PROJECT, ...given };
  const { network: made } = (await neutron('POST', '/networks', { network })) as { network: { id: string } };
  const version = cidr.includes(':') ? 6 : 4;
  const subnet = { network_id: made.id, cidr, ip_version: version, tenant_id: TENANT_PROJECT };
  const { subnet: inside } = (await neutron('POST', '/subnets', { subnet })) as { subnet: { id: string } };
  return { networkId: made.id, subnetId: inside.id };
}

async function createLoadBalancer(
  { db, network, net }: { readonly db: Db; readonly network: NetworkDriver; readonly net: TenantNet },
  { flavorId, net: own = net, projectId = TENANT_PROJECT }: NewLoadBalancer = {},
): Promise<NewlyMade> {
  const id = randomUUID();
  const port = await network.createPort({
    ...vipPortNames(id),
    projectId,
    networkId: own.networkId,
    fixedIps: [{ subnetId: own.subnetId }],
    deviceOwner: VIP_PORT_OWNER,
    adminStateUp: false,
  });
  const address = port.fixedIps[0]?.ipAddress ?? '';
  const row = {
    ...{ id, project_id: projectId, generation: 1, settled_generation: 0 },
    provisioning_status: 'PENDING_CREATE' as const,
    ...{ pending_deadline: '2099-01-01 00:00:00.000', flavor_id: flavorId ?? null },
  };
  const vip = { ip_address: address, port_id: port.id, subnet_id: own.subnetId, network_id: own.networkId };
  await insertLoadBalancer(db, row, vip);
  return { id, address, portId: port.id };
}

async function newFlavor(db: Db, data: object): Promise<string> {
  const id = randomUUID();
  const named = { id, name: id };
  await db('flavor_profile').insert({ ...named, provider_name: 'slipstream', flavor_data: JSON.stringify(data) });
  await db('flavor').insert({ ...named, description: '', enabled: 1, flavor_profile_id: id });
  return id;
}

async function newEngine({ db, compute, groupId }: Lab): Promise<string> {
  const id = randomUUID();
  const server = await compute.createServer({ engineId: id, name: id, token: 'secret', controllers: [] });
  await insertEngine(db, { id, compute_id: server.id, service_engine_group_id: groupId, slots: 1_000 });
  await db('service_engine')
    .where({ id })
    .update({ host: server.host, created_at: dbNow(db) });
  return id;
}

function pairsIn({ store }: ContrailSimulator, portId: string): { address: string; mode: string }[] {
  const property = store.get('virtual-machine-interface', portId)?.properties[
    'virtual_machine_interface_allowed_address_pairs'
  ];
  const { allowed_address_pair: pairs = [] } = (property ?? {}) as {
    allowed_address_pair?: { ip: { ip_prefix: string }; address_mode: string }[];
  };
  return pairs.map(({ ip, address_mode: mode }) => ({ address: ip.ip_prefix, mode }));
}
