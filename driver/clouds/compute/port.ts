/**
 * What Slipstream needs of the compute service. Twins: `local.ts` (agents as child processes of the embedded site),
 * `noop.ts`, later Nova over HTTP. Every server bears the id of its engine row, which exists before the server does:
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
}

export interface ServerRequest {
  readonly engineId: string;
  readonly name: string;
  /** What the agent proves itself with when it first calls. */
  readonly token: string;
  /** Where the engine finds its controllers: WebSocket URLs. */
  readonly controllers: readonly string[];
}

export interface ComputeDriver {
  /** True for the driver that boots nothing: load balancers then settle without an engine. */
  readonly bootsNothing: boolean;
  /** Every server that bears an engine's id, whoever made it. */
  listServers(): Promise<readonly Server[]>;
  /** @throws PassedThroughError when the service refuses, UnavailableError when it does not answer */
  createServer(request: ServerRequest): Promise<Server>;
  /** A server that is not there counts as deleted. */
  deleteServer(id: string): Promise<void>;
}
