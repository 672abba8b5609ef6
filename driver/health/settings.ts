/** Times and bounds of the health-manager. Milliseconds. */
export interface HealthSettings {
  /** How often engines are told to call. */
  readonly heartbeatInterval: number;
  /** How often engines are told to send counters. */
  readonly countersInterval: number;
  /** Silence after which an engine is down. */
  readonly heartbeatTimeout: number;
  /** How long after its start, or after the database was away, a health-manager trusts `last_heartbeat` of others' engines. */
  readonly startGrace: number;
  /** How often what was heard is written into the database. */
  readonly flushInterval: number;
  /** How often placements are compared with what was confirmed: the repair of lost hints. */
  readonly compareInterval: number;
  /** How often all statuses are judged again, a slice at a time: the repair of lost broadcasts. */
  readonly reviewInterval: number;
  /** Connections that have not said hello yet; more are turned away. */
  readonly maxHandshakes: number;
  readonly handshakeTimeout: number;
  /** Load balancers whose spec is being built at a time. */
  readonly buildConcurrency: number;
  /** Specs one engine may have to answer for at a time. */
  readonly pushWindow: number;
  /** After which a spec that was not acknowledged makes room for others. */
  readonly ackTimeout: number;
}

export const DEFAULT_HEALTH_SETTINGS: HealthSettings = {
  heartbeatInterval: 1_000,
  countersInterval: 10_000,
  heartbeatTimeout: 3_000,
  startGrace: 10_000,
  flushInterval: 2_000,
  compareInterval: 3_000,
  reviewInterval: 60_000,
  maxHandshakes: 64,
  handshakeTimeout: 5_000,
  buildConcurrency: 8,
  pushWindow: 16,
  ackTimeout: 15_000,
};
