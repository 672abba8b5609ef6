import type { Config } from '../config/config';
import type { HealingSettings } from '../domain/healing';
import { healingSettings } from '../fleet/healingSettings';
import type { SpecOptions } from '../target/options';

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
  /** Over which the load of an engine is averaged. */
  readonly loadWindow: number;
  /** How often placements are compared with what was confirmed: the repair of lost hints. */
  readonly compareInterval: number;
  /** How often all statuses are judged again, a slice at a time: the repair of lost broadcasts. */
  readonly reviewInterval: number;
  /** Connections that have not said hello yet; more are turned away. */
  readonly maxHandshakes: number;
  /** The same of one address. */
  readonly maxHandshakesPerAddress: number;
  readonly handshakeTimeout: number;
  /** Load balancers whose spec is being built at a time. */
  readonly buildConcurrency: number;
  /** Specs one engine may have to answer for at a time. */
  readonly pushWindow: number;
  /** How old what is known of a user's certificate may become. */
  readonly certRefreshInterval: number;
  /** What administrators decide about specs. */
  readonly spec: SpecOptions;
  /** How long a vNIC of an engine may be on its way before it is called a problem. */
  readonly networkPatience: number;
  /** How what is lost is healed. */
  readonly healing: HealingSettings;
  /** After which a spec that was not acknowledged makes room for others. */
  readonly ackTimeout: number;
}

/** What no operator has a reason to change. */
const FIXED = { reviewInterval: 60_000, pushWindow: 16, ackTimeout: 15_000, networkPatience: 20_000 };

/** The configuration has seconds. */
export function settingsOf({
  health_manager: given,
  certificates,
  service_engine: engine,
}: Pick<Config, 'health_manager' | 'certificates' | 'service_engine'>): HealthSettings {
  return {
    ...FIXED,
    heartbeatInterval: given.heartbeat_interval * 1000,
    countersInterval: given.counters_interval * 1000,
    heartbeatTimeout: given.heartbeat_timeout * 1000,
    startGrace: given.start_grace * 1000,
    flushInterval: given.flush_interval * 1000,
    loadWindow: given.load_window * 1000,
    compareInterval: given.compare_interval * 1000,
    maxHandshakes: given.max_handshakes,
    maxHandshakesPerAddress: given.max_handshakes_per_address,
    handshakeTimeout: given.handshake_timeout * 1000,
    buildConcurrency: given.build_concurrency,
    spec: {
      membersStartDown: engine.members_start_down,
      logTarget: engine.log_target,
      whenDown: null,
      restoreDelay: engine.vip_restore_delay * 1000,
      withdrawDelay: engine.vip_withdraw_delay * 1000,
    },
    healing: healingSettings(engine),
    certRefreshInterval: certificates.cert_refresh_interval * 1000,
  };
}
