import { toApiTime } from '../../../driver/db/codecs';
import type { AmphoraRead } from '../../../driver/db/read/amphorae';
import type { ListenerOnEngine } from '../../../driver/db/read/engineStatistics';
import type { Schemas } from '../../openapi/schemas';

type AmphoraView = Schemas['AmphoraView'];

/** A placement as Octavia shows an amphora. What engines have no equal of is null. */
export function amphoraView(row: AmphoraRead): AmphoraView {
  return {
    id: row.id,
    loadbalancer_id: row.load_balancer_id,
    compute_id: row.compute_id,
    lb_network_ip: row.lb_network_ip,
    vrrp_ip: row.vrrp_ip,
    ha_ip: row.ha_ip,
    vrrp_port_id: row.vrrp_port_id,
    ha_port_id: row.ha_port_id,
    cert_expiration: null,
    cert_busy: false,
    role: row.role as AmphoraView['role'] & (string | null),
    status: row.status as NonNullable<AmphoraView['status']>,
    vrrp_interface: null,
    vrrp_id: null,
    vrrp_priority: null,
    cached_zone: row.cached_zone,
    created_at: toApiTime(row.created_at),
    updated_at: toApiTime(row.updated_at),
    image_id: null,
    compute_flavor: null,
  };
}

/** Counters of one listener on the engine behind an amphora. */
export function amphoraStatisticsView(
  amphoraId: string,
  loadBalancerId: string,
  counted: ListenerOnEngine,
): Schemas['AmphoraStatistics'] {
  return {
    active_connections: counted.activeConnections,
    bytes_in: counted.bytesIn,
    bytes_out: counted.bytesOut,
    id: amphoraId,
    listener_id: counted.listenerId,
    loadbalancer_id: loadBalancerId,
    request_errors: counted.requestErrors,
    total_connections: counted.totalConnections,
  };
}
