/**
 * What Slipstream needs of the compute service. Twins: `local.ts` (agents as child processes of the embedded site),
 * `noop.ts`, `http.ts` (Nova). Every server bears the id of its engine row, which exists before the server does:
 * creating twice is found by listing.
 */
export interface Server {
  /** The compute service's id. */
  readonly id: string;
  readonly engineId: string;
  readonly name: string;
  readonly status: 'BUILD' | 'ACTIVE' | 'ERROR';
  /** Address on the management network, once it has one. */
  readonly managementAddress: string | null;
  readonly host: string | null;
  /** Why it could not be built, in the service's words; absent or null while it is well. */
  readonly fault?: string | null;
  /** Set while it does not run although it was built: `SHUTOFF`, `PAUSED`, ... in the service's words. */
  readonly stopped?: string | null;
  /** It is being rebooted; absent or false: not. */
  readonly rebooting?: boolean;
  /** When it was last built, in the service's writing; absent or null where that is not told. */
  readonly launchedAt?: string | null;
}

export interface ServerRequest {
  readonly engineId: string;
  readonly name: string;
  /** What the agent proves itself with when it first calls. */
  readonly token: string;
  /** Where the engine finds its controllers: WebSocket URLs. */
  readonly controllers: readonly string[];
  /** SHA-256 of the certificate of their CA, hex; absent where they speak in clear. */
  readonly caFingerprint?: string | undefined;
  /** Its service engine group: where hosts are to differ, they differ within it. */
  readonly groupId?: string;
  /** Ports that exist already, instead of as many of those that are configured; the one in the management network first. */
  readonly portIds?: readonly string[];
  /** Over the configured one. */
  readonly availabilityZone?: string;
  /** Over the configured one: a flavor of the compute service, by id or name. */
  readonly flavorId?: string;
  /** Over the configured one. */
  readonly imageTag?: string;
  /** The project it is to be in, and whose quota it takes from, instead of that of this service. */
  readonly projectId?: string;
}

export interface ServerGroup {
  readonly id: string;
  /** The service engine group it is for. */
  readonly groupId: string;
  readonly servers: number;
  /** The project it is in; absent where there are none. */
  readonly projectId?: string | null;
}

/** Whose objects are looked at: those of this service's project (null), of another one, or of all. Absent: null. */
export type InProject = string | null | typeof ANY_PROJECT;
export const ANY_PROJECT: unique symbol = Symbol('any project');

export interface ComputeDriver {
  /** True for the driver that boots nothing: load balancers then settle without an engine. */
  readonly bootsNothing: boolean;
  /** Every server that bears an engine's id, whoever made it. Of all projects those may lack that are just being made. */
  listServers(where?: InProject): Promise<readonly Server[]>;
  /** @throws PassedThroughError when the service refuses, UnavailableError when it does not answer */
  createServer(request: ServerRequest): Promise<Server>;
  /** A server that is not there counts as deleted. */
  deleteServer(id: string): Promise<void>;
  /** One server, if it is there and bears an engine's id. Absent where `listServers` costs nothing. */
  findServer?(id: string): Promise<Server | undefined>;
  /** Whether a server was given another disk after it was first built: it is not the one any more that enrolled. */
  wasRebuilt?(id: string): Promise<boolean>;
  /**
   * Has the service reboot a server, and does not wait for it: by asking its guest, or by turning it off and on. Absent where
   * servers cannot be rebooted.
   * @throws PassedThroughError with status 409 while the server is in no state for it, or is rebooted already
   */
  rebootServer?(id: string, how: 'soft' | 'hard'): Promise<void>;
  /**
   * Sees that what keeps the servers of a service engine group in a project (null: that of this service) apart is there.
   * One process at a time may call it for a group, before each of its servers: the service would take two. Absent where
   * there is nothing of the kind.
   */
  prepareGroup?(groupId: string, projectId: string | null): Promise<void>;
  /** What keeps the servers of service engine groups apart, and for which group each is. */
  listServerGroups?(where?: InProject): Promise<readonly ServerGroup[]>;
  /** One that is not there counts as deleted. */
  deleteServerGroup?(id: string): Promise<void>;
  /** Ids of the ports a server has, in no order. Absent, like the next two, where servers have none. */
  listServerPorts?(serverId: string): Promise<readonly string[]>;
  /**
   * Plugs a port in. One that is plugged in there already stays.
   * @throws NotFoundError for an unknown server; PassedThroughError with status 504 while the service still is at it
   */
  attachPort?(serverId: string, portId: string): Promise<void>;
  /** Unplugs a port, which goes on to exist if the service has not made it itself. What is not there counts as unplugged. */
  detachPort?(serverId: string, portId: string): Promise<void>;
}
