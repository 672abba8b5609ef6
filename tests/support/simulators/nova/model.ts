import { randomUUID } from 'node:crypto';

/** A server as the simulator keeps it. */
export interface SimulatedServer {
  readonly id: string;
  /** Null: that of the service. */
  readonly projectId: string | null;
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
  status: 'BUILD' | 'ACTIVE' | 'ERROR' | 'SHUTOFF' | 'PAUSED' | 'REBOOT' | 'HARD_REBOOT';
  /** What was done to it. */
  readonly actions: string[];
  launchedAt: string | null;
  taskState: string | null;
  host: string | null;
  fault: string | null;
}

export interface SimulatedPort {
  readonly id: string;
  readonly networkId: string;
  readonly address: string;
  /** Nova has made it. */
  readonly isOwn?: boolean;
}

export interface ServerGroup {
  readonly id: string;
  readonly name: string;
  readonly policy: string;
  /** Null: that of the service. */
  readonly project_id: string | null;
  members: string[];
}

export type NewServer = Omit<
  SimulatedServer,
  'id' | 'projectId' | 'ports' | 'status' | 'actions' | 'launchedAt' | 'taskState' | 'host' | 'fault'
> & {
  readonly projectId?: string | null;
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
  /** Servers are rebooted when `finishReboots` says so. */
  rebootsSlowly: boolean;
  /** A page begins with its marker: so does Nova's while it schedules that server. */
  repeatsMarkers: boolean;
  /** Ports go in and out when `finishPlugging` says so; calls that plug one in have no answer before. */
  plugsSlowly: boolean;
  /** Names by id, of those that may be asked for by request. */
  flavors: Readonly<Record<string, string>>;
  /** Where ports come from; without it any port is as good as another. */
  network: PortService | undefined;
  /** Why a port cannot be plugged in: status and text. */
  refusePort: ((portId: string) => { status: number; message: string } | undefined) | undefined;
  /** Told of every server that is up: where a test starts its agent. A test that does nothing here has a ghost. */
  onBoot: (server: SimulatedServer) => void;
  /** Told of every server that was rebooted. */
  onReboot: (server: SimulatedServer, how: 'SOFT' | 'HARD') => void;
}

export interface FoundPort {
  readonly projectId: string;
  readonly networkId: string;
  readonly deviceId: string;
  readonly address: string;
}

/** The Neutron behind a Nova, as far as Nova uses it. */
export interface PortService {
  /** The project of servers that are made in no other: ports of others it takes not. */
  readonly projectId: string;
  find(portId: string): FoundPort | undefined;
  /** Writes into a port whose it is; an empty id: nobody's. */
  bind(portId: string, deviceId: string, deviceOwner: string): Promise<void>;
  create(networkId: string, deviceId: string): Promise<SimulatedPort>;
  remove(portId: string): Promise<void>;
}

/** The state of a Nova, without its face. */
export class NovaModel {
  readonly servers = new Map<string, SimulatedServer>();
  readonly groups = new Map<string, ServerGroup>();
  private addresses = 10;
  private launches = 0;
  private readonly unfinished: (() => unknown)[] = [];

  constructor(readonly behaviour: NovaBehaviour) {}

  async create({ networks, group, projectId = null, ...wanted }: NewServer): Promise<SimulatedServer> {
    if (this.servers.size >= this.behaviour.quota) {
      const { quota } = this.behaviour;
      const counts = `but already used ${this.servers.size} of ${quota} instances`;
      throw new Refusal(403, 'forbidden', `Quota exceeded for instances: Requested 1, ${counts}`);
    }
    if (group !== null && !this.groups.has(group)) {
      throw new Refusal(400, 'badRequest', `Instance group ${group} could not be found.`);
    }
    const id = randomUUID();
    for (const one of networks) if ('port' in one) this.existingPort(one.port, projectId);
    const server: SimulatedServer = {
      ...wanted,
      id,
      projectId,
      ports: [],
      status: 'BUILD',
      actions: ['create'],
      launchedAt: null,
      taskState: 'scheduling',
      host: null,
      fault: null,
    };
    this.servers.set(server.id, server);
    for (const one of networks) {
      server.ports.push('port' in one ? await this.plug(server.id, one.port) : await this.newPort(server.id, one.uuid));
    }
    this.schedule(server, group);
    if (!this.behaviour.bootsSlowly) this.boot(server);
    return server;
  }

  finishBoots(): void {
    for (const server of this.servers.values()) this.boot(server);
  }

  async remove(id: string): Promise<void> {
    const server = this.server(id);
    if (this.behaviour.deletesSlowly) server.taskState = 'deleting';
    else await this.forget(id);
  }

  async finishDeletions(): Promise<void> {
    for (const { id, taskState } of this.servers.values()) if (taskState === 'deleting') await this.forget(id);
  }

  /** A soft one needs a guest that runs; a hard one takes over from a soft one. */
  reboot(id: string, how: 'SOFT' | 'HARD'): void {
    const server = this.server(id);
    const able = how === 'SOFT' ? ['ACTIVE'] : ['ACTIVE', 'REBOOT', 'SHUTOFF', 'PAUSED', 'ERROR'];
    if (!able.includes(server.status)) {
      throw new Refusal(409, 'conflictingRequest', `Cannot 'reboot' instance ${id} while it is ${server.status}`);
    }
    server.actions.push('reboot');
    server.status = how === 'SOFT' ? 'REBOOT' : 'HARD_REBOOT';
    server.taskState = how === 'SOFT' ? 'rebooting' : 'rebooting_hard';
    if (!this.behaviour.rebootsSlowly) this.finishReboots();
  }

  finishReboots(): void {
    for (const server of this.servers.values()) {
      if (server.status !== 'REBOOT' && server.status !== 'HARD_REBOOT') continue;
      const how = server.status === 'REBOOT' ? 'SOFT' : 'HARD';
      Object.assign(server, { status: 'ACTIVE', taskState: null });
      this.behaviour.onReboot(server, how);
    }
  }

  /** Somebody gives a server another disk, or the same anew. */
  rebuild(id: string): void {
    const server = this.server(id);
    server.actions.push('rebuild');
    server.launchedAt = this.newTime();
  }

  /** Somebody gives a server another size: it is launched anew, with its disk. */
  resize(id: string): void {
    const server = this.server(id);
    server.actions.push('resize', 'confirmResize');
    server.launchedAt = this.newTime();
  }

  async attach(id: string, portId: string): Promise<SimulatedPort> {
    const server = this.server(id);
    if (server.status !== 'ACTIVE') {
      const state = `while it is in vm_state ${server.status === 'BUILD' ? 'building' : 'error'}`;
      throw new Refusal(409, 'conflictingRequest', `Cannot 'attach_interface' instance ${id} ${state}`);
    }
    const refusal = this.behaviour.refusePort?.(portId);
    if (refusal)
      throw new Refusal(refusal.status, refusal.status === 500 ? 'computeFault' : 'badRequest', refusal.message);
    const port = await this.plug(id, portId);
    if (this.behaviour.plugsSlowly) this.unfinished.push(() => server.ports.push(port));
    else server.ports.push(port);
    return port;
  }

  async detach(id: string, portId: string): Promise<void> {
    const server = this.server(id);
    if (!server.ports.some((port) => port.id === portId)) {
      throw new Refusal(404, 'itemNotFound', `Instance ${id} does not have a port with id ${portId}`);
    }
    const unplug = async (): Promise<void> => {
      server.ports = server.ports.filter((port) => port.id !== portId);
      await this.behaviour.network?.bind(portId, '', '');
    };
    if (this.behaviour.plugsSlowly) this.unfinished.push(unplug);
    else await unplug();
  }

  async finishPlugging(): Promise<void> {
    for (const finish of this.unfinished.splice(0)) await finish();
  }

  addGroup(name: string, policy: string, projectId: string | null = null): ServerGroup {
    const group = { id: randomUUID(), name, policy, project_id: projectId, members: [] };
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
    server.launchedAt = this.newTime();
    this.behaviour.onBoot(server);
  }

  private newTime(): string {
    this.launches += 1;
    return new Date(Date.UTC(2026, 0, 1) + this.launches * 1_000).toISOString().replace('Z', '000');
  }

  /** Ports that Nova has made go with their server; those it was given go on to exist. */
  private async forget(id: string): Promise<void> {
    const { network } = this.behaviour;
    for (const port of this.servers.get(id)?.ports ?? []) {
      if (port.isOwn) await network?.remove(port.id);
      else await network?.bind(port.id, '', '');
    }
    this.servers.delete(id);
    for (const group of this.groups.values()) group.members = group.members.filter((member) => member !== id);
  }

  private existingPort(id: string, projectId: string | null): void {
    const { network } = this.behaviour;
    const known = network?.find(id);
    if (network && !known) throw new Refusal(400, 'badRequest', `Port id ${id} could not be found.`);
    if (network && known?.projectId !== (projectId ?? network.projectId)) {
      throw new Refusal(400, 'badRequest', `Port ${id} not usable for instance.`);
    }
    const isUsed = [...this.servers.values()].some(({ ports }) => ports.some((port) => port.id === id));
    if (isUsed || known?.deviceId) throw new Refusal(400, 'badRequest', `Port ${id} is still in use.`);
  }

  private async plug(serverId: string, portId: string): Promise<SimulatedPort> {
    const { network } = this.behaviour;
    this.existingPort(portId, this.server(serverId).projectId);
    const known = network?.find(portId);
    await network?.bind(portId, serverId, 'compute:nova');
    return known
      ? { id: portId, networkId: known.networkId, address: known.address }
      : { ...this.port('some'), id: portId };
  }

  private async newPort(serverId: string, networkId: string): Promise<SimulatedPort> {
    const made = await this.behaviour.network?.create(networkId, serverId);
    return { ...(made ?? this.port(networkId)), isOwn: true };
  }

  private port(networkId: string): SimulatedPort {
    this.addresses += 1;
    return { id: randomUUID(), networkId, address: `10.99.${this.addresses >> 8}.${this.addresses & 255}` };
  }
}
