import type { MonitorSpec } from '../../protocol/spec';
import type { Layout } from './layout';
import { isCheckedByHaproxy } from './monitor';

/** What is known of a member when a new worker starts. */
export type KnownHealth = 'UP' | 'DOWN';
/** By member id, within one pool. */
export type HealthByPool = ReadonlyMap<string, ReadonlyMap<string, KnownHealth>>;

/** Fields of version 1 of haproxy's server state file, its management guide, `show servers state`. */
const HEADER =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight ' +
  'srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state ' +
  'bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr ' +
  'srv_agent_port';

/**
 * The state file a new worker reads, so that a member known to be down gets no traffic until it passes its checks. Only
 * health is carried over: weights and maintenance are in the configuration, which is newer.
 */
export function renderServerState(layout: Layout, health: HealthByPool): string {
  const lines = layout.backends.flatMap((backend, index) =>
    backend.pool.members.flatMap((member) => {
      const known = health.get(backend.pool.id)?.get(member.id);
      if (known === undefined || !member.enabled || !isCheckedByHaproxy(backend.pool.monitor)) return [];
      const id = backend.serverIds.get(member.id) ?? 0;
      const { weight, address, port } = member;
      const checks = known === 'UP' ? passed(backend.pool.monitor) : '8 2 0';
      return [
        `${index + 1} ${backend.name} ${id} ${member.id} ${address} ${known === 'UP' ? 2 : 0} 0 ${weight} ${weight} 1 ` +
          `${checks} 6 0 0 1 - ${port} - ${backend.pool.tls === null ? 0 : 1} 0 - - 0`,
      ];
    }),
  );
  return `1\n${HEADER}\n${lines.map((text) => `${text}\n`).join('')}`;
}

function passed(monitor: MonitorSpec): string {
  return `15 3 ${monitor.riseThreshold + monitor.fallThreshold - 1}`;
}
