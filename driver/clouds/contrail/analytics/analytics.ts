import { z } from 'zod';
import type { Analytics, PeerRecord, PortRecord } from '../../../domain/analytics';
import type { KeystoneSession } from '../../keystone/http/session';
import { type AskOptions, askForText } from './ask';

export interface AnalyticsOptions extends AskOptions {
  /** `http://host:8081` each, at least one; several are equals. */
  readonly servers: readonly string[];
  /** Absent: nobody has to log in. */
  readonly session?: Pick<KeystoneSession, 'token'>;
}

/** Sessions that are asked for: each is a call. */
const MOST_PEERS = 32;

/** What is reported is shown as it is: what is missing, or of another form than it used to be, is left out. */
const Port = z
  .object({
    active: z.boolean(),
    ip_address: z.string(),
    mac_address: z.string(),
    vm_uuid: z.string(),
    floating_ips: z.array(z.object({ ip_address: z.string() }).partial()),
    is_health_check_active: z.boolean(),
    health_check_instance_list: z.array(
      z.object({ name: z.string(), status: z.string(), is_running: z.boolean() }).partial(),
    ),
  })
  .partial();
const Peer = z
  .object({
    state_info: z.object({ state: z.string(), last_state: z.string() }).partial(),
    peer_address: z.string(),
    peer_asn: z.number(),
    flap_info: z.object({ flap_count: z.number(), flap_time: z.number() }).partial(),
    peer_stats_info: z.object({ rx_route_stats: z.object({ total_path_count: z.number() }).partial() }).partial(),
  })
  .partial();
const Names = z.array(z.object({ name: z.string() }));

/** Over the analytics API, which collects what agents and control-nodes report. */
export function createAnalytics(options: AnalyticsOptions): Analytics {
  const ask = async (path: string): Promise<unknown> => {
    let last: unknown;
    for (const server of options.servers) {
      try {
        return await askServer(server, path, options);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  };
  return {
    async port({ id, fqName }) {
      const found = await ask(uve('virtual-machine-interface', fqName, 'UveVMInterfaceAgent'));
      const record = contentOf(found, 'UveVMInterfaceAgent', Port);
      return record && toPort(id, record);
    },
    async peers(routers) {
      if (routers.length === 0) return [];
      const names = Names.parse((await ask('/analytics/uves/bgp-peers')) ?? []).map(({ name }) => name);
      // How the key is made up differs between releases.
      const own = names.flatMap((name) => {
        const router = routers.find((it) => name.split(':').includes(it));
        return router === undefined ? [] : [{ name, router }];
      });
      const records = await Promise.all(
        own.slice(0, MOST_PEERS).map(async ({ name, router }) => {
          const record = contentOf(await ask(uve('bgp-peer', name, 'BgpPeerInfoData')), 'BgpPeerInfoData', Peer);
          return record && toPeer({ name, router }, record);
        }),
      );
      return records.flatMap((record) => record ?? []);
    },
  };
}

function uve(type: string, key: string, part: string): string {
  return `/analytics/uves/${type}/${encodeURIComponent(key)}?flat&cfilt=${part}`;
}

async function askServer(server: string, path: string, options: AnalyticsOptions): Promise<unknown> {
  const token = await options.session?.token();
  const text = await askForText(`${server}${path}`, options, token === undefined ? {} : { 'X-Auth-Token': token });
  return text === undefined ? undefined : JSON.parse(text);
}

/** Of a report that nobody has made there is nothing, or an empty object. */
function contentOf<T>(found: unknown, part: string, schema: z.ZodType<T>): T | undefined {
  const content = z.record(z.string(), z.unknown()).safeParse(found).data?.[part];
  return content === undefined ? undefined : schema.parse(content);
}

function toPort(portId: string, record: z.infer<typeof Port>): PortRecord {
  const checks = record.health_check_instance_list ?? [];
  return {
    ...{ portId, active: record.active ?? null, address: record.ip_address ?? '' },
    ...{ macAddress: record.mac_address ?? '', serverId: record.vm_uuid ?? '' },
    floatingIps: (record.floating_ips ?? []).flatMap(({ ip_address }) => ip_address ?? []),
    healthCheckActive: checks.length === 0 ? null : (record.is_health_check_active ?? null),
    healthChecks: checks.map(({ name = '', status, is_running = true }) => {
      return { name: name.split(':').at(-1) ?? name, active: status === 'Active', running: is_running };
    }),
  };
}

/** The key names the instance, the control-node and the router; the node comes right before the router's own parts. */
function toPeer({ name, router }: { name: string; router: string }, record: z.infer<typeof Peer>): PeerRecord {
  const { state_info: info = {}, flap_info: flaps = {}, peer_stats_info: stats = {} } = record;
  const { flap_count = 0, flap_time } = flaps;
  return {
    ...{ controlNode: nodeIn(name), router, address: record.peer_address ?? '', peerAs: record.peer_asn ?? null },
    ...{ state: info.state ?? 'unknown', lastState: info.last_state ?? '' },
    flaps: flap_count,
    lastFlap: flap_time === undefined || flap_count === 0 ? null : new Date(flap_time / 1_000).toISOString(),
    paths: stats.rx_route_stats?.total_path_count ?? null,
  };
}

/** After the four names of a routing instance. */
function nodeIn(key: string): string {
  return key.split(':')[4] ?? key;
}
