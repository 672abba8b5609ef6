import type { BgpTimers } from '../domain/bgp';
import type { Config } from './config';
import { BadValueError } from './errors';

/** How VIPs are wired in Contrail. */
export interface ContrailSettings {
  /** Of load balancers whose flavor does not say. */
  readonly vipMode: 'aap' | 'bgp';
  /** By which the vRouter finds a dead engine; null: by none. Milliseconds. */
  readonly healthCheck: {
    readonly monitor: 'PING' | 'BFD';
    readonly interval: number;
    readonly timeout: number;
    readonly retries: number;
  } | null;
  readonly bgp: BgpTimers & {
    readonly localAs: number;
    /**
     * Whether vRouters watch the sessions, too, for their logs. Never beside a check of the ports by BFD: of both, they hear
     * the one alone that was begun last.
     */
    readonly isBfdLogged: boolean;
    /** Names or ids of the groups whose sessions have a secret. */
    readonly md5Groups: readonly string[];
  };
}

/** Undefined where VIPs are not wired there. @throws BadValueError for times that cannot be */
export function readContrail({
  contrail,
  controller_worker,
}: Pick<Config, 'contrail' | 'controller_worker'>): ContrailSettings | undefined {
  if (controller_worker.network_driver !== 'contrail') return undefined;
  const { bgp_hold: hold, bgp_keepalive: keepalive } = contrail;
  if (hold !== 0 && hold < 3) throw bad('bgp_hold', hold, '0, or 3 seconds at least');
  if (hold !== 0 && (keepalive === 0 || keepalive >= hold)) throw bad('bgp_keepalive', keepalive, 'less than bgp_hold');
  const milliseconds = (seconds: number): number => Math.round(seconds * 1_000);
  const checked = {
    interval: milliseconds(contrail.health_check_interval),
    timeout: milliseconds(contrail.health_check_timeout),
    retries: contrail.health_check_retries,
  };
  const watched = {
    interval: milliseconds(contrail.bgp_bfd_interval),
    multiplier: contrail.bgp_bfd_multiplier,
  };
  const isBfd = contrail.health_check === 'bfd';
  return {
    vipMode: contrail.vip_mode,
    healthCheck: contrail.health_check === 'none' ? null : { monitor: isBfd ? 'BFD' : 'PING', ...checked },
    bgp: {
      localAs: contrail.bgp_local_as,
      md5Groups: contrail.bgp_md5_groups,
      keepalive,
      hold,
      connectRetry: contrail.bgp_connect_retry,
      // How soon a vRouter misses an engine is the engine's word: its packets, and how many of them may be lost.
      ...(isBfd
        ? { bfd: { interval: checked.interval, multiplier: checked.retries }, isBfdLogged: false }
        : { bfd: contrail.bgp_bfd ? watched : null, isBfdLogged: contrail.bgp_bfd }),
    },
  };
}

function bad(option: string, value: number, expected: string): BadValueError {
  return new BadValueError('contrail', option, String(value), expected);
}
