import { randomUUID } from 'node:crypto';

/** A server as the simulator keeps it. */
export interface SimulatedServer {
  readonly id: string;
  readonly name: string;
  readonly imageId: string;
  readonly flavorId: string;
  readonly keyName: string | null;
  readonly availabilityZone: string | null;
  readonly securityGroups: readonly string[];
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly configDrive: boolean;
  /** In their order. */
  ports: SimulatedPort[];
  status: 'BUILD' | 'ACTIVE' | 'ERROR';
  taskState: string | null;
  host: string | null;
  fault: string | null;
}

export interface SimulatedPort {
  readonly id: string;
  readonly networkId: string;
  readonly address: string;
}

export interface ServerGroup {
  readonly id: string;
  readonly name: string;
  readonly policy: string;
  members: string[];
}

export type NewServer = Omit<SimulatedServer, 'id' | 'ports' | 'status' | 'taskState' | 'host' | 'fault'> & {
  readonly networks: readonly ({ readonly port: string } | { readonly uuid: string })[];
  readonly group: string | null;
};

/** A refusal in Nova's form. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
  ) {
    super(message);
  }
}

/** How this Nova behaves; may be changed at any time. */
export interface NovaBehaviour {
  /** Servers the project may have. */
  quota: number;
  hosts: readonly string[];
  serversPerHost: number;
  /** Servers stay in BUILD until `finishBoots`. */
  bootsSlowly: boolean;
  /** Servers are seen while they go, until `finishDeletions`. */
  deletesSlowly: boolean;
  /** Told of every server that is up: where a test starts its agent. A test that does nothing here has a ghost. */
  onBoot: (server: SimulatedServer) => void;
}

/** The state of a Nova, without its face. */
export class NovaModel {
  readonly servers = new Map<string, SimulatedServer>();
  readonly groups = new Map<string, ServerGroup>();
  private addresses = 10;

  constructor(readonly behaviour: NovaBehaviour) {}

  create({ networks, group, ...wanted }: NewServer): SimulatedServer {
    if (this.servers.size >= this.behaviour.quota) {
      const { quota } = this.behaviour;
      const counts = `but already used ${this.servers.size} of ${quota} instances`;
      throw new Refusal(403, 'forbidden', `Quota exceeded for instances: Requested 1, ${counts}`);
    }
    if (group !== null && !this.groups.has(group)) {
      throw new Refusal(400, 'badRequest', `Instance group ${group} could not be found.`);
    }
    const ports = networks.map((one) => ('port' in one ? this.existingPort(one.port) : this.port(one.uuid)));
    const server: SimulatedServer = {
      ...wanted,
      id: randomUUID(),
      ports,
      status: 'BUILD',
      taskState: 'scheduling',
      host: null,
      fault: null,
    };
    this.servers.set(server.id, server);
    this.schedule(server, group);
    if (!this.behaviour.bootsSlowly) this.boot(server);
    return server;
  }

  finishBoots(): void {
    for (const server of this.servers.values()) this.boot(server);
  }

  remove(id: string): void {
    const server = this.server(id);
    if (this.behaviour.deletesSlowly) server.taskState = 'deleting';
    else this.forget(id);
  }

  finishDeletions(): void {
    for (const { id, taskState } of this.servers.values()) if (taskState === 'deleting') this.forget(id);
  }

  attach(id: string, portId: string): SimulatedPort {
    const server = this.server(id);
    if (server.status !== 'ACTIVE') {
      const state = `while it is in vm_state ${server.status === 'BUILD' ? 'building' : 'error'}`;
      throw new Refusal(409, 'conflictingRequest', `Cannot 'attach_interface' instance ${id} ${state}`);
    }
    const port = this.existingPort(portId);
    server.ports = [...server.ports, port];
    return port;
  }

  detach(id: string, portId: string): void {
    const server = this.server(id);
    if (!server.ports.some((port) => port.id === portId)) {
      throw new Refusal(404, 'itemNotFound', `Instance ${id} does not have a port with id ${portId}`);
    }
    server.ports = server.ports.filter((port) => port.id !== portId);
  }

  addGroup(name: string, policy: string): ServerGroup {
    const group = { id: randomUUID(), name, policy, members: [] };
    this.groups.set(group.id, group);
    return group;
  }

  server(id: string): SimulatedServer {
    const server = this.servers.get(id);
    if (!server) throw new Refusal(404, 'itemNotFound', `Instance ${id} could not be found.`);
    return server;
  }

  private schedule(server: SimulatedServer, groupId: string | null): void {
    const group = groupId === null ? undefined : this.groups.get(groupId);
    const taken = group?.policy === 'anti-affinity' ? group.members.map((id) => this.servers.get(id)?.host) : [];
    const load = (host: string) => [...this.servers.values()].filter((other) => other.host === host).length;
    const host = this.behaviour.hosts.find((one) => !taken.includes(one) && load(one) < this.behaviour.serversPerHost);
    if (host !== undefined) server.host = host;
    else {
      server.status = 'ERROR';
      server.taskState = null;
      server.fault = 'No valid host was found. There are not enough hosts available.';
    }
    group?.members.push(server.id);
  }

  private boot(server: SimulatedServer): void {
    if (server.status !== 'BUILD') return;
    server.status = 'ACTIVE';
    server.taskState = null;
    this.behaviour.onBoot(server);
  }

  private forget(id: string): void {
    this.servers.delete(id);
    for (const group of this.groups.values()) group.members = group.members.filter((member) => member !== id);
  }

  private existingPort(id: string): SimulatedPort {
    const isUsed = [...this.servers.values()].some(({ ports }) => ports.some((port) => port.id === id));
    if (isUsed) throw new Refusal(400, 'badRequest', `Port ${id} is still in use.`);
    return { ...this.port('network-of-port'), id };
  }

  private port(networkId: string): SimulatedPort {
    this.addresses += 1;
    return { id: randomUUID(), networkId, address: `10.99.${this.addresses >> 8}.${this.addresses & 255}` };
  }
}
