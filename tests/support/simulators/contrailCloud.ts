import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import pino from 'pino';
import { z } from 'zod';
import type { CatalogService } from '../../../driver/clouds/keystone/catalog';
import { createKeystoneFace } from '../../../driver/clouds/keystone/face';
import { connectKeystone } from '../../../driver/clouds/keystone/http/connection';
import { buildLogin } from '../../../driver/clouds/keystone/http/credentials';
import { openKeystoneSession } from '../../../driver/clouds/keystone/http/session';
import type { EmbeddedKeystone } from '../../../driver/clouds/keystone/memory';
import { createNeutronDriver } from '../../../driver/clouds/network/http';
import type { NetworkDriver } from '../../../driver/clouds/network/port';
import { openOpenstackService } from '../../../driver/clouds/openstack/service';
import { type ContrailOptions, type ContrailSimulator, startContrailSimulator } from './contrail';
import { aKeystone, issueToken } from './keystone';
import { keystoneSettings } from './keystoneSettings';
import { neutronOnContrailFace } from './neutronOnContrail';

/** A Keystone, a Contrail and a Neutron in front of it, on loopback ports, with our driver of that Neutron. */
export interface ContrailCloud {
  readonly keystone: EmbeddedKeystone;
  readonly contrail: ContrailSimulator;
  /** Of the identity service, with `/v3`. */
  readonly authUrl: string;
  readonly networkUrl: string;
  readonly driver: NetworkDriver;
  projectId(name: string): string;
  /** A network with one subnet of the project, made through Neutron. */
  addNetwork(network: NewNetwork): Promise<{ readonly networkId: string; readonly subnetId: string }>;
  close(): Promise<void>;
}

export interface NewNetwork {
  readonly name: string;
  readonly projectId: string;
  readonly cidr: string;
  readonly external?: boolean;
  /** Default: the first address. */
  readonly gatewayIp?: string | null;
}

export interface ContrailCloudOptions extends ContrailOptions {
  readonly descriptions?: boolean;
  /** Further entries of the catalogue. */
  readonly services?: readonly CatalogService[];
}

const MADE = z.record(z.string(), z.object({ id: z.string() }));

export async function startContrailCloud(options: ContrailCloudOptions = {}): Promise<ContrailCloud> {
  const { descriptions = true, services = [], ...contrailOptions } = options;
  const log = pino({ level: 'silent' });
  const keystone = aKeystone();
  const app = express();
  const server = createServer(app);
  // A client that takes a connection up again just as it is closed has its request fail.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const authUrl = `${base}/identity/v3`;
  const asksKeystone = contrailOptions.auth !== undefined && contrailOptions.auth !== 'none';
  const contrail = await startContrailSimulator({ ...contrailOptions, ...(asksKeystone && { keystoneUrl: authUrl }) });
  const catalog: readonly CatalogService[] = [
    { type: 'identity', name: 'keystone', url: authUrl },
    { type: 'network', name: 'neutron', url: `${base}/network` },
    ...services,
  ];
  app.use('/identity', createKeystoneFace({ keystone, services: () => catalog, log }));
  const { projects } = keystone.directory;
  const contrailToken = () => issueToken(keystone, 'admin', 'admin');
  app.use(
    '/network',
    neutronOnContrailFace({
      ...{ contrail, keystone, projects, descriptions, authUri: () => authUrl },
      ...(asksKeystone && { contrailToken }),
    }),
  );
  const client = openDriver(authUrl);
  const make = async (kind: 'network' | 'subnet', attributes: object): Promise<string> => {
    const headers = { 'Content-Type': 'application/json', 'X-Auth-Token': issueToken(keystone, 'admin', 'admin') };
    const body = JSON.stringify({ [kind]: attributes });
    const answer = await fetch(`${base}/network/v2.0/${kind}s`, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`${kind}: ${answer.status} ${await answer.text()}`);
    return MADE.parse(await answer.json())[kind]?.id ?? '';
  };
  return {
    ...{ keystone, contrail, authUrl, networkUrl: `${base}/network`, driver: client.driver },
    projectId: (name) => projects.find((project) => project.name === name)?.id ?? '',
    async addNetwork({ name, projectId, cidr, external = false, gatewayIp }) {
      const networkId = await make('network', { name, project_id: projectId, 'router:external': external });
      const ip_version = cidr.includes(':') ? 6 : 4;
      const gateway = gatewayIp === undefined ? {} : { gateway_ip: gatewayIp };
      const subnet = { name, network_id: networkId, project_id: projectId, cidr, ip_version, ...gateway };
      return { networkId, subnetId: await make('subnet', subnet) };
    },
    async close() {
      await client.close();
      await contrail.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function openDriver(authUrl: string): { driver: NetworkDriver; close: () => Promise<void> } {
  const log = pino({ level: 'silent' });
  const settings = { ...keystoneSettings(authUrl), project_name: 'service' };
  const connection = connectKeystone(settings, log);
  const login = buildLogin(settings, 'service_auth');
  const session = openKeystoneSession({ connection, authUrl, login, log, now: () => new Date() });
  const options = { region_name: null, endpoint_type: 'publicURL', ca_certificates_file: null, insecure: false };
  const service = openOpenstackService({ name: 'Neutron', types: ['network'], session, options, log });
  return {
    driver: createNeutronDriver(service),
    async close() {
      await service.close();
      await connection.close();
    },
  };
}
