import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import pino from 'pino';
import type { CatalogService } from '../../../driver/clouds/keystone/catalog';
import { createKeystoneFace } from '../../../driver/clouds/keystone/face';
import type { EmbeddedKeystone } from '../../../driver/clouds/keystone/memory';
import { createNetworkFace } from '../../../driver/clouds/network/face';
import type { EmbeddedNetwork } from '../../../driver/clouds/network/memory';
import { aKeystone, issueToken, PASSWORDS, type UserName } from './keystone';
import { aNetworkCloud } from './network';

/** A Keystone and a Neutron on one ephemeral loopback port. */
export interface CloudFaces {
  readonly keystone: EmbeddedKeystone;
  readonly network: EmbeddedNetwork;
  /** Of the identity service, with `/v3`: what clients call the auth URL. */
  readonly authUrl: string;
  readonly networkUrl: string;
  /** A token for the user on the project. */
  tokenFor(user: UserName, project: string): string;
  /** The environment of an `openstack` command of that user. */
  environmentOf(user: UserName, project: string): Record<string, string>;
  close(): Promise<void>;
}

/** `services` are further entries of the catalogue: the load balancer under test, for instance. */
export async function startCloudFaces(services: readonly CatalogService[] = []): Promise<CloudFaces> {
  const log = pino({ level: 'silent' });
  const keystone = aKeystone();
  const adminProject = keystone.directory.projects.find(({ name }) => name === 'admin')?.id ?? '';
  const network = await aNetworkCloud(adminProject);
  const app = express();
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const authUrl = `${base}/identity/v3`;
  const catalog: readonly CatalogService[] = [
    { type: 'identity', name: 'keystone', url: authUrl },
    { type: 'network', name: 'neutron', url: `${base}/network` },
    ...services,
  ];
  app.use('/identity', createKeystoneFace({ keystone, services: () => catalog, log }));
  app.use('/network', createNetworkFace({ model: network.model, validator: keystone, authUri: () => authUrl, log }));

  return {
    keystone,
    network,
    authUrl,
    networkUrl: `${base}/network`,
    tokenFor: (user, project) => issueToken(keystone, user, project),
    environmentOf: (user, project) => ({
      OS_AUTH_URL: authUrl,
      OS_IDENTITY_API_VERSION: '3',
      OS_USERNAME: user,
      OS_PASSWORD: PASSWORDS[user === 'slipstream' ? 'service' : user],
      OS_USER_DOMAIN_NAME: 'Default',
      OS_PROJECT_NAME: project,
      OS_PROJECT_DOMAIN_NAME: 'Default',
      OS_REGION_NAME: 'RegionOne',
    }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
