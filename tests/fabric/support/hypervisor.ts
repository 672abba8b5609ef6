import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { HostsConfig } from '../../../devstack/lab/hosts/config';
import { openMachines } from '../../../devstack/lab/hosts/machines';
import { describeMachine } from '../../../devstack/lab/hosts/metadata';
import { ipBatch, removeNamespace } from '../../../devstack/lab/hosts/shell';
import { listenIn, relayTo } from '../../../devstack/lab/hosts/sockets';
import type { Machine } from '../../../devstack/lab/hosts/topology';
import type { SimulatedServer } from '../../support/simulators/nova/model';
import type { FabricCloud, FabricPort } from './cloud';
import type { Fabric } from './fabric';
import { ipBatchForgiving } from './namespaces';

/** nova-compute of all hosts: runs what Nova says, with the real agent in each engine, and plugs in what it has attached. */
export interface Hypervisor {
  /** The namespace of a server's machine; undefined until it runs. */
  machineOf(serverId: string): string | undefined;
  pidOf(serverId: string): number | null;
  /** Ends all that runs in a machine at once; Nova does not know. Its disk and its ports stay. */
  crash(serverId: string): void;
  /** Starts a machine that has crashed, from its disk. */
  boot(serverId: string): void;
  /** Resets every connection between engines and controllers. */
  hangUp(): void;
  /** What has gone wrong so far. */
  readonly errors: readonly unknown[];
  /** What agents have printed. */
  readonly logDirectory: string;
  close(): Promise<void>;
}

export interface HypervisorDeps {
  readonly fabric: Fabric;
  readonly cloud: FabricCloud;
  /** Of the health-manager, on this host's loopback; engines reach it at CONTROLLER. */
  readonly controllerPort: number;
}

/** In the management network. */
export const CONTROLLER = '10.250.0.250';
const CLI = join(__dirname, '../../../dist/driver/cli.js');
const LOOK_EVERY = 50;

interface Running {
  readonly namespace: string;
  readonly plugged: Map<string, FabricPort>;
  isCrashed: boolean;
}

export async function openHypervisor({ fabric, cloud, controllerPort }: HypervisorDeps): Promise<Hypervisor> {
  const stateDir = mkdtempSync(join(tmpdir(), 'ss-fb-hosts-'));
  const config = HostsConfig.parse({
    auth: { url: 'http://localhost', username: '', password: '', projectName: '' },
    stateDir,
    management: [{ network: cloud.managementNetworkId }],
    agent: { command: [process.execPath, CLI, 'agent'], environment: { NODE_NO_WARNINGS: '1' } },
  });
  const machines = openMachines(config, pino({ level: 'silent' }));
  const management = await openManagement(fabric, controllerPort);
  const running = new Map<string, Running>();
  const errors: unknown[] = [];
  const host = { fabric, cloud, management: management.namespace, running };
  const documents = (machine: Machine) =>
    describeMachine(machine, {
      networks: [{ id: cloud.managementNetworkId, name: 'management', mtu: 1500 }],
      subnets: MANAGEMENT(machine),
    });
  const look = async (): Promise<void> => {
    const servers = [...cloud.nova.nova.model.servers.values()].filter(({ status }) => status === 'ACTIVE');
    const wanted = new Set(servers.map(({ id }) => id));
    const gone = [...running].filter(([id]) => !wanted.has(id));
    const stopped = await machines.switchOff(servers.flatMap((one) => describe(host, one)));
    for (const one of running.values()) {
      if (!one.isCrashed && stopped.includes(one.namespace)) reboot(host, one);
    }
    for (const [id, one] of gone) await scrap(host, id, one);
    for (const server of servers) await follow(host, server);
    machines.switchOn(
      servers.flatMap((one) => describe(host, one)),
      documents,
    );
  };
  const looking = repeat(() => look().catch((error: unknown) => void errors.push(error)));
  return {
    machineOf: (id) => running.get(id)?.namespace,
    pidOf: (id) => machines.pidOf(id),
    crash(id) {
      const [one, pid] = [running.get(id), machines.pidOf(id)];
      if (!one || pid === null) throw new Error(`server ${id} does not run`);
      one.isCrashed = true;
      // All that runs in the machine ends with it.
      process.kill(pid, 'SIGKILL');
    },
    boot(id) {
      const one = running.get(id);
      if (one) reboot(host, one);
    },
    hangUp: management.hangUp,
    errors,
    logDirectory: join(stateDir, 'log'),
    async close() {
      await looking.stop();
      await machines.endAll();
      management.close();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

function repeat(work: () => Promise<unknown>): { stop(): Promise<void> } {
  let isOver = false;
  const loop = async (): Promise<void> => {
    while (!isOver) {
      await work();
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    }
  };
  const done = loop();
  return {
    stop() {
      isOver = true;
      return done;
    },
  };
}

/** The network of the engines' first interfaces, and the way to the controllers. */
async function openManagement(fabric: Fabric, controllerPort: number) {
  const namespace = await fabric.machine('mgmt');
  await ipBatch(namespace, [
    'link add br0 type bridge forward_delay 0 mcast_snooping 0',
    `address add ${CONTROLLER}/24 dev br0`,
    'link set br0 up',
  ]);
  const sockets = await listenIn(namespace, [{ address: CONTROLLER, port: controllerPort }]);
  const connections = new Set<Socket>();
  for (const socket of sockets) {
    relayTo(socket, controllerPort);
    socket.on('connection', (one: Socket) => {
      connections.add(one);
      one.once('close', () => connections.delete(one));
    });
  }
  return {
    namespace,
    hangUp() {
      for (const one of connections) one.resetAndDestroy();
    },
    close() {
      for (const socket of sockets) socket.close();
    },
  };
}

interface Host {
  readonly fabric: Fabric;
  readonly cloud: FabricCloud;
  /** Namespace of the management network. */
  readonly management: string;
  readonly running: Map<string, Running>;
}

/** Plugs in what is attached, and takes out what is not. */
async function follow({ fabric, cloud, management, running }: Host, server: SimulatedServer): Promise<void> {
  const known = running.get(server.id);
  const one = known ?? {
    namespace: await fabric.machine(server.id.slice(0, 8)),
    plugged: new Map<string, FabricPort>(),
    isCrashed: false,
  };
  running.set(server.id, one);
  if (one.isCrashed) return;
  const attached = new Set(server.ports.map(({ id }) => id));
  for (const id of one.plugged.keys()) {
    if (attached.has(id)) continue;
    one.plugged.delete(id);
    fabric.unplug(id);
  }
  for (const { id } of server.ports) {
    const port = cloud.portOf(id);
    if (!port || one.plugged.has(id)) continue;
    one.plugged.set(id, port);
    if (port.networkId === cloud.managementNetworkId) await plugManagement(management, one.namespace, port);
    else {
      fabric.plug(id, { namespace: one.namespace });
      await cloud.neutron('PUT', `/ports/${id}`, { port: { 'binding:host_id': server.host } });
    }
  }
}

/** The interfaces that its namespaces had are gone with them; the first one is the machine's own. */
function reboot({ fabric, cloud }: Host, one: Running): void {
  for (const [id, { networkId }] of one.plugged) {
    if (networkId === cloud.managementNetworkId) continue;
    fabric.unplug(id);
    one.plugged.delete(id);
  }
  one.isCrashed = false;
}

async function plugManagement(management: string, namespace: string, { id, macAddress }: FabricPort): Promise<void> {
  const device = `p${id.replaceAll('-', '').slice(0, 12)}`;
  await ipBatch(management, [
    `link add ${device} type veth peer name eth0 address ${macAddress} netns ${namespace}`,
    `link set ${device} master br0 up`,
  ]);
}

async function scrap(
  { fabric, management, running }: Host,
  id: string,
  { namespace, plugged }: Running,
): Promise<void> {
  for (const port of plugged.keys()) fabric.unplug(port);
  const device = (port: string) => `link delete p${port.replaceAll('-', '').slice(0, 12)}`;
  await ipBatchForgiving(management, [...plugged.keys()].map(device));
  await removeNamespace(namespace);
  running.delete(id);
}

const MANAGEMENT = (machine: Machine) =>
  machine.ports.flatMap(({ fixedIps }) =>
    fixedIps.map(({ subnetId }) => ({
      ...{ id: subnetId, networkId: machine.ports[0]?.networkId ?? '', cidr: '10.250.0.0/24' },
      ...{ gateway: null, hostRoutes: [] },
    })),
  );

/** A machine of another id is switched off and on. */
function bootIdOf({ actions }: SimulatedServer): string {
  return String(actions.filter((action) => action === 'reboot').length);
}

function describe({ running, cloud }: Host, server: SimulatedServer): Machine[] {
  const namespace = running.get(server.id)?.namespace ?? '';
  const ports = server.ports.flatMap(({ id }) => cloud.portOf(id) ?? []);
  const first = ports.filter(({ networkId }) => networkId === cloud.managementNetworkId);
  return [
    {
      namespace,
      power: running.get(server.id)?.isCrashed ? 'off' : 'on',
      isEngine: true,
      server: {
        ...{ id: server.id, name: server.name, status: 'ACTIVE', projectId: '', availabilityZone: 'nova' },
        ...{ metadata: server.metadata, hasConfigDrive: true, userData: null },
        boot: { action: 'create', id: bootIdOf(server) },
      },
      ports: first.map((port) => ({
        ...{ id: port.id, networkId: port.networkId, macAddress: port.macAddress, fixedIps: port.fixedIps },
        ...{ deviceId: server.id, deviceOwner: 'compute:nova', addressPairs: [], groupIds: [], hasPortSecurity: false },
        ...{ isUp: true, createdAt: '' },
      })),
    },
  ];
}
