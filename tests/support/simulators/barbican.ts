import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import pino from 'pino';
import type { BarbicanDeps } from '../../../driver/clouds/certificates/barbican/model';
import { createBarbicanFace } from '../../../driver/clouds/certificates/face';
import { type EmbeddedCertificates, openEmbeddedCertificates } from '../../../driver/clouds/certificates/memory';
import type { CallerAccess } from '../../../driver/clouds/certificates/port';
import { createMemoryStore } from '../../../driver/clouds/network/store';
import type { Identity } from '../../../driver/domain/identity';
import { aKeystone, issueToken, type UserName } from './keystone';

export interface BarbicanSite extends EmbeddedCertificates {
  readonly face: Express;
  /** The user on the project, with a token that holds. */
  caller(user: UserName, project: string): Promise<CallerAccess>;
  /** What `caller` gives for the load-balancing service itself. */
  readonly service: CallerAccess;
}

/** An embedded key manager with its HTTP face, in front of an embedded Keystone. */
export async function aBarbican(deps: Partial<BarbicanDeps> = {}): Promise<BarbicanSite> {
  const keystone = aKeystone();
  const caller = async (user: UserName, project: string): Promise<CallerAccess> => {
    const token = issueToken(keystone, user, project);
    return { token, identity: (await keystone.validate(token))?.identity as Identity };
  };
  const service = await caller('slipstream', 'service');
  const embedded = await openEmbeddedCertificates({
    store: createMemoryStore(),
    key: Buffer.alloc(32, 7),
    service: service.identity,
    ...deps,
  });
  const log = pino({ level: 'silent' });
  const face = createBarbicanFace({
    barbican: embedded.barbican,
    validator: keystone,
    authUri: () => 'http://keystone.example.org:5000/v3',
    log,
  });
  return { ...embedded, face, caller, service };
}

/** Serves on loopback until closed. */
export async function listen(app: Express): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
