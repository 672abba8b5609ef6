import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { runApi } from '../../../api/main';
import { createMemoryBus } from '../../../driver/bus/memory';
import { createContrailDriver } from '../../../driver/clouds/contrail/http';
import { openVncService } from '../../../driver/clouds/contrail/service';
import { configFromText } from '../../../driver/config/config';
import type { Db } from '../../../driver/db/connect';
import { addDefaultGroup } from '../../../driver/db/fleet';
import { DEFAULT_GROUP_PROPERTIES, type GroupProperties } from '../../../driver/domain/group';
import type { HealthSettings } from '../../../driver/health/settings';
import type { HousekeepingSettings } from '../../../driver/housekeeping/jobs';
import { runHousekeeping } from '../../../driver/housekeeping/main';
import { runWorker } from '../../../driver/worker/main';
import { openTestDatabase } from '../../support/database';
import { waitUntil } from '../../support/wait';
import { type FabricCloud, type FabricNetwork, startFabricCloud } from './cloud';
import { type Fabric, openFabric } from './fabric';
import { CONTROLLER, type Hypervisor, openHypervisor } from './hypervisor';
import { introspectionOf, registerHosts } from './introspection/register';
import { openIntrospection } from './introspection/serve';
import { type KillableManager, startKillableManager } from './killableManager';
import { ipBatchForgiving } from './namespaces';
import { readingFrom } from './simulatorStore';

/** The whole of it: the controllers, with a Contrail and a Nova that are simulated, and engines and packets that are real. */
export interface Slipstream {
  readonly db: Db;
  readonly fabric: Fabric;
  readonly cloud: FabricCloud;
  readonly hypervisor: Hypervisor;
  readonly healthManager: KillableManager;
  /** As an admin. @throws what is refused. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  api(method: string, path: string, body?: object): Promise<any>;
  /** A flavor of load balancers; gives its id. */
  flavor(data: object): Promise<string>;
  /** Waits for a status. @throws once it is ERROR */
  reaches(loadBalancerId: string, status?: string): Promise<void>;
  /** A machine of a tenant: its namespace, and its addresses. */
  machine(label: string, network: FabricNetwork, host: string): Promise<TenantMachine>;
  close(): Promise<void>;
}

export interface TenantMachine {
  readonly machine: string;
  readonly addresses: readonly string[];
}

export const COMPUTES = ['compute-1', 'compute-2', 'compute-3'] as const;
const PATIENCE = 120_000;
const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });

export interface SlipstreamOptions {
  readonly group?: Partial<GroupProperties>;
  /** Of slipstream.conf: goes before what the fabric sets. */
  readonly settings?: string;
  readonly housekeeping?: Partial<HousekeepingSettings>;
  readonly health?: Partial<HealthSettings>;
  /** Contrail's API servers, with the one there is. */
  readonly servers?: (url: string) => Promise<readonly string[]>;
}

export async function startSlipstream(options: SlipstreamOptions = {}): Promise<Slipstream> {
  const closers: (() => unknown)[] = [];
  const closing = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await start(options, closers, closing);
  } catch (error) {
    await closing();
    throw error;
  }
}

async function start(
  {
    group = {},
    settings = '',
    housekeeping: jobs = {},
    health: watching = {},
    servers = async (url) => [url],
  }: SlipstreamOptions,
  closers: (() => unknown)[],
  close: () => Promise<void>,
): Promise<Slipstream> {
  const cloud = await startFabricCloud(COMPUTES);
  closers.push(() => cloud.close());
  const { contrail, managementNetworkId } = cloud;
  const fabric = await openFabric({
    store: readingFrom(contrail.contrail.store),
    hosts: COMPUTES,
    isForeign: (networkId) => networkId === managementNetworkId,
  });
  closers.push(() => fabric.close());
  const introspected = await openIntrospection(fabric, readingFrom(contrail.contrail.store));
  closers.push(() => introspected.close());
  await registerHosts(contrail.contrail.url, introspected);
  const db = await openTestDatabase();
  closers.push(() => db.destroy());
  const bus = createMemoryBus({ log });
  closers.push(() => bus.close());
  const config = configFromText(`${configuration(cloud)}\n${settings}`);
  const common = { config, db, bus, log, network: contrail.driver };
  const healthManager = await startKillableManager({ ...common, settings: { startGrace: 500, ...watching } });
  closers.push(() => healthManager.close());
  const { port: controllerPort } = healthManager;
  const hypervisor = await openHypervisor({ fabric, cloud, controllerPort });
  closers.push(() => hypervisor.close());
  const properties = { ...DEFAULT_GROUP_PROPERTIES, ...GROUP, ...group };
  await addDefaultGroup(db, { id: randomUUID(), name: 'default', properties });
  const service = openVncService({ servers: await servers(contrail.contrail.url), log });
  closers.push(() => service.close());
  const compute = cloud.nova.driverWith({
    ...{ networkIds: [managementNetworkId], securityGroupIds: [], antiAffinity: 'anti-affinity' },
    bootstrap: 'config_drive',
  });
  const vnc = createContrailDriver({ service, role: 'admin' });
  const worker = await runWorker({
    ...common,
    ...{ compute, vnc },
    controllers: [`ws://${CONTROLLER}:${controllerPort}`],
    settings: { firstRetry: 0.1, lastRetry: 1 },
  });
  closers.push(() => worker.close());
  const housekeeping = await runHousekeeping({ ...common, compute, vnc, settings: jobs });
  closers.push(() => housekeeping.close());
  const http = await runApi({ ...common, vnc, introspect: introspectionOf(introspected) });
  closers.push(() => http.close());
  const api = callApi(http.url ?? '', cloud.projectId);
  return {
    ...{ db, fabric, cloud, hypervisor, healthManager, api, close },
    async flavor(data) {
      const name = randomUUID();
      const profile = { name, provider_name: 'slipstream', flavor_data: JSON.stringify(data) };
      const { flavorprofile } = await api('POST', '/v2/lbaas/flavorprofiles', { flavorprofile: profile });
      const wanted = { name, flavor_profile_id: flavorprofile.id, enabled: true };
      return (await api('POST', '/v2/lbaas/flavors', { flavor: wanted })).flavor.id;
    },
    reaches: (id, status = 'ACTIVE') =>
      waitUntil(`${id} is ${status}`, PATIENCE, async () => {
        const { loadbalancer } = await api('GET', `/v2/lbaas/loadbalancers/${id}`);
        const now: string = loadbalancer.provisioning_status;
        if (now === 'ERROR' && status !== 'ERROR') throw new Error(`${id} is in ERROR:\n${await tell(db)}`);
        return now === status;
      }),
    machine: (label, network, host) => startTenant({ fabric, cloud }, { label, network, host }),
  };
}

const GROUP: Partial<GroupProperties> = {
  ...{ minEngines: 0, maxEngines: 3, slotsPerEngine: 1000, minScaleout: 2, maxScaleout: 3 },
  ...{ algorithm: 'distributed', haMode: 'active_active', scaleinTimeout: 3 },
};

function configuration({ contrail, managementNetworkId }: FabricCloud): string {
  return [
    '[api_settings]\nauth_strategy = noauth\nbind_port = 0',
    '[controller_worker]\nnetwork_driver = contrail\ncompute_driver = nova',
    `amp_boot_network_list = ${managementNetworkId}`,
    '[health_manager]\nbind_port = 0',
    '[house_keeping]\nsweep_interval = 1',
    `[contrail]\napi_servers = ${new URL(contrail.contrail.url).host}\nauth = none`,
    'health_check_interval = 0.2\nhealth_check_retries = 2',
    'bgp_connect_retry = 1\nbgp_bfd = false',
  ].join('\n');
}

function callApi(url: string, projectId: string): Slipstream['api'] {
  return async (method, path, body) => {
    const headers = { 'x-project-id': projectId, 'content-type': 'application/json' };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(`${url}${path}`, { method, headers, ...sent });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
}

/** The latest events: why something is as it is. */
async function tell(db: Db): Promise<string> {
  const events: { name: string; message: string }[] = await db('event').orderBy('at').select('name', 'message');
  return events
    .slice(-15)
    .map(({ name, message }) => `${name}: ${message}`)
    .join('\n');
}

async function startTenant(
  { fabric, cloud }: { readonly fabric: Fabric; readonly cloud: FabricCloud },
  { label, network, host }: { readonly label: string; readonly network: FabricNetwork; readonly host: string },
): Promise<TenantMachine> {
  const port = await cloud.addPort(network.id, host);
  const machine = await fabric.machine(label);
  fabric.plug(port.id, { namespace: machine, device: 'eth0' });
  await fabric.settled();
  const addresses = port.fixedIps.map(({ address }) => address);
  const isV6 = (address: string) => address.includes(':');
  await ipBatchForgiving(machine, [
    'link set eth0 up',
    ...addresses.map((one) => `address add ${one}/${isV6(one) ? '64 nodad' : '24'} dev eth0`),
    ...addresses.map((one) =>
      isV6(one)
        ? `route add ::/0 via ${one.replace(/[^:]+$/, '1')} dev eth0`
        : `route add 0.0.0.0/0 via ${one.replace(/\d+$/, '1')} dev eth0`,
    ),
  ]);
  return { machine, addresses };
}
