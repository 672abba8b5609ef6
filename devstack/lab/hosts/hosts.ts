import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Cloud } from './cloud';
import { type HostsConfig, namesOf } from './config';
import { type Fabric, openFabric } from './fabric';
import { type Machines, openMachines } from './machines';
import { createMetadataServer, describeMachine } from './metadata';
import { makePlan } from './plan';
import { listenIn, type Place, relayTo } from './sockets';
import { describeState, type HostsState } from './status';
import { METADATA_ADDRESS, type Plan } from './topology';
import type { CloudView } from './view';

/** The compute hosts of a lab, as one program: nova-compute's hypervisor, and Neutron's agents for layers two and three. */
export interface Hosts {
  /** Looks at the cloud and does what it says. @throws when the cloud or the kernel does not answer; nothing is undone */
  follow(): Promise<void>;
  /** Ends every machine and removes every namespace; disks stay. */
  close(): Promise<void>;
}

export interface HostsDeps {
  readonly config: HostsConfig;
  readonly cloud: Pick<Cloud, 'read'>;
  readonly log: Logger;
}

export function openHosts({ config, cloud, log }: HostsDeps): Hosts {
  const names = namesOf(config.stateDir);
  const fabric = openFabric(names);
  const machines = openMachines(config, log);
  let latest: { readonly plan: Plan; readonly view: CloudView } | undefined;
  const front = openFront(names.fabric, (address) => {
    const machine = latest?.plan.machines.find(({ ports }) => ports[0]?.fixedIps.some((ip) => ip.address === address));
    return machine && latest ? describeMachine(machine, latest.view) : undefined;
  });
  return {
    async follow() {
      const view = await cloud.read();
      const plan = makePlan({ view, names, management: config.management });
      latest = { plan, view };
      await bringAbout({ plan, view, fabric, machines });
      await front.ensure(plan);
      writeState(config, describeState(latest, machines));
    },
    async close() {
      front.close();
      await machines.endAll();
      await fabric.remove();
      rmSync(join(config.stateDir, 'status.json'), { force: true });
    },
  };
}

/** Whoever reads it sees one state or the next. */
function writeState({ stateDir }: HostsConfig, state: HostsState): void {
  const file = join(stateDir, 'status.json');
  writeFileSync(`${file}.new`, JSON.stringify(state, null, 2));
  renameSync(`${file}.new`, file);
}

interface Parts {
  readonly plan: Plan;
  readonly view: CloudView;
  readonly fabric: Fabric;
  readonly machines: Machines;
}

async function bringAbout({ plan, view, fabric, machines }: Parts): Promise<void> {
  const stopped = await machines.switchOff(plan.machines);
  // Namespaces of its own that the machine had take their interfaces with them, some time later: plugged in anew.
  for (const namespace of stopped) await fabric.unplug(namespace);
  await fabric.apply(plan, view);
  machines.switchOn(plan.machines, (machine) => describeMachine(machine, view));
}

/** What the hosts themselves serve in management networks: the metadata service, and the way to the controllers. */
function openFront(namespace: string, documentsOf: Parameters<typeof createMetadataServer>[0]) {
  let sockets: Server[] = [];
  let open = '';
  const metadata: HttpServer = createMetadataServer(documentsOf);
  const close = () => {
    for (const socket of sockets) socket.close();
    metadata.closeAllConnections();
    sockets = [];
    open = '';
  };
  return {
    async ensure({ bridges }: Plan): Promise<void> {
      const forwards = bridges.flatMap(({ addresses: [own = ''], ...bridge }) => {
        const [address = ''] = own.split('/');
        return address === '' ? [] : bridge.forwards.map(({ port, to }) => ({ address, port, to }));
      });
      const wanted = JSON.stringify(forwards);
      if (wanted === open) return;
      close();
      if (!bridges.some(({ addresses }) => addresses.length > 0)) return;
      const places: Place[] = [{ address: METADATA_ADDRESS, port: 80 }, ...forwards];
      sockets = await listenIn(namespace, places);
      const [first, ...rest] = sockets;
      first?.on('connection', (socket: Socket) => metadata.emit('connection', socket));
      for (const [at, socket] of rest.entries()) relayTo(socket, forwards[at]?.to ?? 0);
      open = wanted;
    },
    close,
  };
}
