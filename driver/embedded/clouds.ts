import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { Certificates } from '../clouds/certificates/port';
import type { CatalogService } from '../clouds/keystone/catalog';
import { buildDirectory } from '../clouds/keystone/directory';
import { createKeystoneFace } from '../clouds/keystone/face';
import { createEmbeddedKeystone, type EmbeddedKeystone } from '../clouds/keystone/memory';
import { createNetworkFace } from '../clouds/network/face';
import { openEmbeddedNetwork } from '../clouds/network/memory';
import type { NetworkDriver } from '../clouds/network/port';
import { seedNetworks } from '../clouds/network/seed';
import type { Config } from '../config/config';
import type { Db } from '../db/connect';
import { openKeyManager } from './keyManager';
import { isLocalAddress, listen } from './listen';
import { createResourceStore } from './resourceStore';

/** The Keystone, the Neutron and the Barbican of the embedded site, which also answer on loopback. */
export interface EmbeddedClouds {
  readonly keystone: EmbeddedKeystone;
  readonly network: NetworkDriver;
  readonly certificates: Certificates;
  /** With `/v3`. */
  readonly authUrl: string;
  close(): Promise<void>;
}

export interface CloudParts {
  readonly config: Config;
  readonly db: Db;
  /** By user name. */
  readonly passwords: ReadonlyMap<string, string>;
  /** Further entries of the catalogue; asked at each use, since URLs become known one after the other. */
  readonly services: () => readonly CatalogService[];
  readonly log: Logger;
}

/** @throws Error when one of them cannot listen */
export async function openEmbeddedClouds(parts: CloudParts): Promise<EmbeddedClouds> {
  const { config, db, log } = parts;
  const own: CatalogService[] = [];
  const keystone = createEmbeddedKeystone({ directory: buildDirectory(passwordsOf(parts.passwords)) });
  const network = await openEmbeddedNetwork({ store: createResourceStore(db, 'network'), isUsable: isLocalAddress });
  const projectId = keystone.directory.projects.find(({ name }) => name === 'admin')?.id ?? '';
  await seedNetworks(network.model, { projectId, localCidr: config.embedded.vip_cidr });

  const opened: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((each) => each.close()));
  };
  try {
    const { bind_host: host, keystone_port, neutron_port } = config.embedded;
    const identityApp = createKeystoneFace({ keystone, services: () => [...own, ...parts.services()], log });
    const identity = await listen(identityApp, { host, port: keystone_port, what: 'The embedded Keystone' });
    opened.push(identity);
    const authUrl = `${identity.url}/v3`;
    const networkApp = createNetworkFace({ model: network.model, validator: keystone, authUri: () => authUrl, log });
    const networking = await listen(networkApp, { host, port: neutron_port, what: 'The embedded Neutron' });
    opened.push(networking);
    const keys = await openKeyManager({ config, db, keystone, authUrl, log });
    opened.push(keys);
    own.push(
      { type: 'identity', name: 'keystone', url: authUrl },
      { type: 'network', name: 'neutron', url: networking.url },
      { type: 'key-manager', name: 'barbican', url: keys.url },
    );
    return { keystone, network: network.driver, certificates: keys.certificates, authUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The service user never logs in from outside: its password is forgotten with the process. */
function passwordsOf(passwords: ReadonlyMap<string, string>) {
  const password = (user: string) => passwords.get(user) ?? randomBytes(18).toString('base64url');
  return {
    admin: password('admin'),
    member: password('member'),
    reader: password('reader'),
    service: randomBytes(18).toString('base64url'),
  };
}
