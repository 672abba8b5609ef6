import path from 'node:path';
import type { Logger } from 'pino';
import { openKeyFile } from '../clouds/certificates/barbican/keyFile';
import { createCertificates } from '../clouds/certificates/certificates';
import { createBarbicanFace } from '../clouds/certificates/face';
import { openEmbeddedCertificates } from '../clouds/certificates/memory';
import type { Certificates } from '../clouds/certificates/port';
import { type Directory, stableId } from '../clouds/keystone/directory';
import type { TokenValidator } from '../clouds/keystone/port';
import type { Config } from '../config/config';
import type { Db } from '../db/connect';
import type { Identity } from '../domain/identity';
import { listen } from './listen';
import { createResourceStore } from './resourceStore';

/** The Barbican of the embedded site. */
export interface EmbeddedKeyManager {
  readonly certificates: Certificates;
  readonly url: string;
  close(): Promise<void>;
}

export interface KeyManagerParts {
  readonly config: Config;
  readonly db: Db;
  readonly keystone: TokenValidator & { readonly directory: Directory };
  /** With `/v3`. */
  readonly authUrl: string;
  readonly log: Logger;
}

/** What seals the secrets in the database; beside it, not in it. */
const KEY_FILE = 'secrets.key';

/** @throws Error when it cannot listen, or its key file is not as it should be */
export async function openKeyManager(parts: KeyManagerParts): Promise<EmbeddedKeyManager> {
  const { config, db, keystone, authUrl, log } = parts;
  const { bind_host: host, barbican_port: port, state_dir: stateDir } = config.embedded;
  const { barbican, store } = await openEmbeddedCertificates({
    store: createResourceStore(db, 'keys'),
    key: await openKeyFile(path.resolve(stateDir, KEY_FILE)),
    service: serviceOf(keystone.directory),
  });
  const app = createBarbicanFace({ barbican, validator: keystone, authUri: () => authUrl, log });
  const { url, close } = await listen(app, { host, port, what: 'The embedded Barbican' });
  return { certificates: createCertificates({ store }), url, close };
}

/** The service user as the embedded Keystone would describe it. */
function serviceOf({ projects }: Directory): Identity {
  return {
    userId: stableId('user', 'slipstream'),
    projectId: projects.find(({ name }) => name === 'service')?.id ?? null,
    domainId: null,
    systemScope: null,
    roles: ['admin', 'service'],
    isAdmin: false,
  };
}
