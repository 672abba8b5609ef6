import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { connectKeystone } from '../../../driver/clouds/keystone/http/connection';
import { openKeystoneSession } from '../../../driver/clouds/keystone/http/session';
import { type OpenstackService, openOpenstackService } from '../../../driver/clouds/openstack/service';
import {
  ActionsBody,
  FloatingIps,
  type ListedServer,
  Networks,
  PORT_FIELDS,
  Ports,
  Rules,
  ServersBody,
  Subnets,
  toServer,
} from './cloudBodies';
import type { HostsConfig } from './config';
import type { Boot, CloudView, Port, Server } from './view';

/** Nova and Neutron of one cloud, read as an admin. */
export interface Cloud {
  /** Everything. @throws UnavailableError; never answers with a part */
  read(): Promise<CloudView>;
  close(): Promise<void>;
}

/** Rocky's: as the driver's; shows user data. */
const NOVA_VERSION = { 'OpenStack-API-Version': 'compute 2.64' };
const PAGE = 500;
/** Milliseconds after which networks, rules and floating IPs are read again. */
const REST_AFTER = 4_000;
/** Actions after which a machine starts from the beginning. */
const BOOTS = ['create', 'start', 'reboot', 'rebuild', 'evacuate', 'unshelve', 'resize', 'migrate'];

export function openCloud({ auth }: HostsConfig, log: Logger): Cloud {
  const connection = connectKeystone(
    {
      cafile: auth.caFile,
      certfile: null,
      keyfile: null,
      insecure: false,
      http_connect_timeout: 30,
      http_request_max_retries: 3,
    },
    log,
  );
  const session = openKeystoneSession({
    connection,
    authUrl: auth.url,
    login: loginOf(auth),
    log,
    now: () => new Date(),
  });
  const options = {
    region_name: auth.region,
    endpoint_type: auth.interface,
    ca_certificates_file: auth.caFile,
    insecure: false,
  };
  const nova = openOpenstackService({ name: 'Nova', types: ['compute'], session, options, log });
  const neutron = openOpenstackService({ name: 'Neutron', types: ['network'], session, options, log });
  const readServers = createServerReader(nova);
  const readRest = createRestReader(neutron);
  return {
    async read() {
      const [servers, ports] = await Promise.all([readServers(), readPorts(neutron)]);
      return { servers, ports, ...(await readRest(ports)) };
    },
    async close() {
      await Promise.all([nova.close(), neutron.close()]);
      await connection.close();
    },
  };
}

function loginOf(auth: HostsConfig['auth']) {
  const user = { name: auth.username, domain: { name: auth.userDomainName }, password: auth.password };
  const project = { name: auth.projectName, domain: { name: auth.projectDomainName } };
  return { auth: { identity: { methods: ['password'], password: { user } }, scope: { project } } };
}

async function get<S extends z.ZodType>(service: OpenstackService, path: string, schema: S): Promise<z.output<S>> {
  const { status, body } = await service.call({ method: 'GET', path, headers: NOVA_VERSION });
  if (status !== 200) throw new Error(`GET ${path.split('?')[0]}: ${status}`);
  return schema.parse(body);
}

function readPorts(neutron: OpenstackService): Promise<Port[]> {
  return get(neutron, `/v2.0/ports?${PORT_FIELDS.map((field) => `fields=${field}`).join('&')}`, Ports);
}

/** Reads what changes rarely now and then, and when a port is in a subnet nobody has heard of. */
function createRestReader(neutron: OpenstackService) {
  let known: Omit<CloudView, 'servers' | 'ports'> | undefined;
  let readAt = 0;
  return async (ports: readonly Port[]) => {
    const subnetIds = new Set(known?.subnets.map(({ id }) => id));
    const isKnown = ports.every(({ fixedIps }) => fixedIps.every(({ subnetId }) => subnetIds.has(subnetId)));
    if (known && isKnown && performance.now() - readAt < REST_AFTER) return known;
    const [networks, subnets, rules, floatingIps] = await Promise.all([
      get(neutron, '/v2.0/networks?fields=id&fields=name&fields=mtu', Networks),
      get(neutron, '/v2.0/subnets', Subnets),
      get(neutron, '/v2.0/security-group-rules', Rules),
      get(neutron, '/v2.0/floatingips', FloatingIps),
    ]);
    known = { networks, subnets, rules, floatingIps };
    readAt = performance.now();
    return known;
  };
}

/** Reads servers, and of those that have changed since the last time what was done to them. */
function createServerReader(nova: OpenstackService): () => Promise<Server[]> {
  let boots = new Map<string, { readonly updated: string; readonly isSure: boolean; readonly boot: Boot }>();
  return async () => {
    const listed = await listServers(nova);
    const next: typeof boots = new Map();
    for (const { server, updated } of listed) {
      const known = boots.get(server.id);
      if (known?.updated === updated && known.isSure) next.set(server.id, known);
      else {
        // Times have whole seconds: what was read within the same one may have been changed once more since.
        const isSure = Date.now() - Date.parse(updated) > 2_000;
        next.set(server.id, { updated, isSure, boot: await readBoot(nova, server.id) });
      }
    }
    boots = next;
    return listed.map(({ server }) => ({ ...server, boot: next.get(server.id)?.boot ?? { action: 'create', id: '' } }));
  };
}

async function listServers(nova: OpenstackService): Promise<ListedServer[]> {
  const all: ListedServer[] = [];
  for (;;) {
    const after = all.at(-1)?.server.id;
    const path = `/servers/detail?all_tenants=1&limit=${PAGE}${after === undefined ? '' : `&marker=${after}`}`;
    const { servers, servers_links: links } = await get(nova, path, ServersBody);
    all.push(...servers.map(toServer));
    if (!links?.some(({ rel }) => rel === 'next')) return all;
    await sleep(0);
  }
}

async function readBoot(nova: OpenstackService, id: string): Promise<Boot> {
  const path = `/servers/${encodeURIComponent(id)}/os-instance-actions`;
  const { status, body } = await nova.call({ method: 'GET', path, headers: NOVA_VERSION });
  // Deleted in the meantime: the next list says so.
  if (status !== 200) return { action: 'create', id: '' };
  const last = ActionsBody.parse(body).instanceActions.find(({ action }) => BOOTS.includes(action));
  return last ? { action: last.action, id: last.request_id } : { action: 'create', id: '' };
}
