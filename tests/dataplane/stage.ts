import type { Schemas } from '../../api/openapi/schemas';
import type { ApiClient } from '../support/apiClient';
import { type DatagramBackend, startDatagram } from '../support/backends/datagram';
import { type StreamBackend, type StreamOptions, startStream } from '../support/backends/stream';
import { startWeb, type WebBackend, type WebOptions } from '../support/backends/web';
import type { Site } from '../support/site';
import { waitUntil } from '../support/wait';
import { type Keys, openKeys } from './keys';

interface Created {
  readonly id: string;
}

export interface LoadBalancer extends Created {
  /** Its main VIP. */
  readonly host: string;
}

/** What a member is made of: the backend it stands for, and what the request says besides. */
export interface MemberGiven extends Partial<Schemas['MemberCreate']> {
  readonly backend: { readonly address: string; readonly port: number };
}

export interface Scene {
  readonly loadBalancer?: Partial<Schemas['LoadBalancerCreate']>;
  readonly listener?: Partial<Schemas['ListenerCreate']>;
  /** Null: no pool. */
  readonly pool?: Partial<Schemas['PoolCreate']> | null;
  readonly members?: readonly MemberGiven[];
  readonly monitor?: Partial<Schemas['HealthMonitorCreate']>;
}

/** A load balancer with one listener, as it serves. */
export interface Served {
  readonly loadBalancer: LoadBalancer;
  readonly host: string;
  readonly port: number;
  readonly listenerId: string;
  /** Empty without a pool. */
  readonly poolId: string;
  /** In the order given. */
  readonly memberIds: readonly string[];
  /** Empty without a monitor. */
  readonly monitorId: string;
}

/** What one row works with: a user of the site, and backends that end with the row. */
export interface Stage {
  readonly api: ApiClient;
  readonly site: Site;
  readonly keys: Keys;
  web(name: string, options?: WebOptions): Promise<WebBackend>;
  stream(name: string, options?: StreamOptions): Promise<StreamBackend>;
  datagram(name: string, options?: Parameters<typeof startDatagram>[1]): Promise<DatagramBackend>;
  /** Makes one, on the local subnet unless said otherwise. It goes away, with everything under it, when the row ends. */
  loadBalancer(fields?: Partial<Schemas['LoadBalancerCreate']>): Promise<LoadBalancer>;
  /** Makes objects by one POST each, HTTP and ROUND_ROBIN on port 8080 unless said otherwise, and waits until they are ACTIVE. */
  serve(scene: Scene): Promise<Served>;
  /** One POST, e.g. `listeners`, `listener`. Waits for nothing. @throws when it is refused */
  create(collection: string, root: string, fields: Record<string, unknown>): Promise<Created>;
  /** One PUT; waits until the load balancer is ACTIVE again. @throws when it is refused */
  update(where: { readonly loadBalancer: LoadBalancer }, path: string, body: Record<string, unknown>): Promise<void>;
  /** One DELETE; waits until the load balancer is ACTIVE again. @throws when it is refused */
  remove(where: { readonly loadBalancer: LoadBalancer }, path: string): Promise<void>;
  /** Waits until it is ACTIVE. @throws when it comes to ERROR */
  active(loadBalancer: LoadBalancer): Promise<void>;
  /** Has something done when the row ends. */
  later(task: () => Promise<unknown> | undefined): void;
}

/** A stage for one row; `end` takes everything down, and rejects when something did not go. */
export function openStage(site: Site, api: ApiClient): { stage: Stage; end: () => Promise<void> } {
  const tasks: (() => Promise<unknown> | undefined)[] = [];
  const later: Stage['later'] = (task) => void tasks.push(task);
  const stop = <T extends { stop(): Promise<void> }>(backend: T): T => {
    later(() => backend.stop().catch(() => undefined));
    return backend;
  };
  const client = makeClient(api, later);
  const stage: Stage = {
    ...{ site, api, later },
    keys: openKeys(api),
    ...client,
    web: async (name, options) => stop(await startWeb(name, options)),
    stream: async (name, options) => stop(await startStream(name, options)),
    datagram: async (name, options) => stop(await startDatagram(name, options)),
    serve: (scene) => serve(client, scene),
  };
  const end = async () => {
    const failures: unknown[] = [];
    for (const task of tasks.reverse()) {
      try {
        await task();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  };
  return { stage, end };
}

type Client = Pick<Stage, 'loadBalancer' | 'create' | 'update' | 'remove' | 'active'>;

function makeClient(api: ApiClient, later: Stage['later']): Client {
  const active = async ({ id }: Created) => {
    const status = await api.settled(id);
    if (status !== 'ACTIVE') throw new Error(`the load balancer came to ${status}`);
  };
  const change: Stage['update'] = async ({ loadBalancer }, path, body) => {
    const answer = await api.request('PUT', `/${path}`, body);
    if (answer.status >= 300) throw new Error(`PUT ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    await active(loadBalancer);
  };
  return {
    active,
    update: change,
    create: (collection, root, fields) => api.create<Created>(`/${collection}`, root, fields),
    async remove({ loadBalancer }, path) {
      const answer = await api.request('DELETE', `/${path}`);
      if (answer.status >= 300) throw new Error(`DELETE ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      await active(loadBalancer);
    },
    async loadBalancer(fields = {}) {
      const { id, vip_address: host } = await api.create<{ id: string; vip_address: string }>(
        '/loadbalancers',
        'loadbalancer',
        { vip_subnet_id: api.subnetId, ...fields },
      );
      later(() => removeWhole(api, id));
      return { id, host };
    },
  };
}

/** A load balancer that just changed refuses to go until that is done. */
async function removeWhole(api: ApiClient, id: string): Promise<void> {
  await waitUntil(`load balancer ${id} is gone`, 20_000, async () => {
    const { status } = await api.request('DELETE', `/loadbalancers/${id}?cascade=true`);
    return status === 204 || status === 404;
  });
}

async function serve(client: Client, scene: Scene): Promise<Served> {
  const { listener: listenerFields = {}, pool: poolFields = {}, members = [], monitor } = scene;
  const loadBalancer = await client.loadBalancer(scene.loadBalancer);
  const { protocol = 'HTTP', protocol_port: port = 8080 } = listenerFields;
  const listener = await client.create('listeners', 'listener', {
    ...{ loadbalancer_id: loadBalancer.id, protocol, protocol_port: port },
    ...listenerFields,
  });
  const pool = poolFields && (await client.create('pools', 'pool', poolOf(listener.id, protocol, poolFields)));
  const memberIds: string[] = [];
  for (const { backend, ...fields } of pool ? members : []) {
    const body = { address: backend.address, protocol_port: backend.port, ...fields };
    memberIds.push((await client.create(`pools/${pool?.id}/members`, 'member', body)).id);
  }
  const check =
    monitor && pool && (await client.create('healthmonitors', 'healthmonitor', monitorOf(pool.id, monitor)));
  await client.active(loadBalancer);
  return {
    loadBalancer,
    host: loadBalancer.host,
    port: port ?? 0,
    listenerId: listener.id,
    poolId: pool?.id ?? '',
    memberIds,
    monitorId: check?.id ?? '',
  };
}

function poolOf(listenerId: string, protocol: string | null, fields: Partial<Schemas['PoolCreate']>) {
  const usual = protocol === 'TERMINATED_HTTPS' ? 'HTTP' : protocol;
  return { listener_id: listenerId, protocol: usual, lb_algorithm: 'ROUND_ROBIN', ...fields };
}

function monitorOf(poolId: string, fields: Partial<Schemas['HealthMonitorCreate']>) {
  return { pool_id: poolId, type: 'HTTP', delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1, ...fields };
}
