import type { Machines } from './machines';
import type { Machine, Plan } from './topology';
import type { CloudView, Port } from './view';

/** What is running, for `--status` and for tests: where each server and endpoint is. */
export interface HostsState {
  /** Of this program. */
  readonly pid: number;
  readonly servers: readonly ServerState[];
  readonly routers: readonly string[];
  readonly endpoints: readonly { readonly namespace: string; readonly ports: readonly PortState[] }[];
}

export interface ServerState {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly namespace: string;
  /** Of the agent's machine; null if there is none. */
  readonly pid: number | null;
  readonly ports: readonly PortState[];
}

export interface PortState {
  readonly id: string;
  readonly network: string;
  readonly macAddress: string;
  readonly addresses: readonly string[];
  readonly addressPairs: readonly string[];
}

export function describeState({ plan, view }: { plan: Plan; view: CloudView }, machines: Machines): HostsState {
  const describe = (port: Port) => describePort(port, view);
  const toServer = ({ server, namespace, ports }: Machine): ServerState => ({
    id: server.id,
    name: server.name,
    status: server.status,
    namespace,
    pid: machines.pidOf(server.id),
    ports: ports.map(describe),
  });
  const ofKind = (kind: string) => plan.nodes.filter(({ namespace }) => namespace.startsWith(`ss-${kind}-`));
  return {
    pid: process.pid,
    servers: plan.machines.map(toServer),
    routers: ofKind('rt').map(({ namespace }) => namespace),
    endpoints: ofKind('ep').map(({ namespace, nics }) => ({
      namespace,
      ports: nics.map(({ port }) => describe(port)),
    })),
  };
}

function describePort(port: Port, { networks }: CloudView): PortState {
  return {
    id: port.id,
    network: networks.find(({ id }) => id === port.networkId)?.name ?? port.networkId,
    macAddress: port.macAddress,
    addresses: port.fixedIps.map(({ address }) => address),
    addressPairs: port.addressPairs.map(({ address }) => address),
  };
}
