import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import type { TokenValidator } from '../../../driver/clouds/keystone/port';
import { type ContrailSimulator, FIXED_TOKENS } from './contrail';
import { createBackend } from './neutronOnContrail/backend';
import { createNeutronFace } from './neutronOnContrail/face';

/** A Neutron with Contrail's core plugin in front of a Contrail. */
export interface NeutronOnContrail {
  /** As the catalogue has it, without `/v2.0`. */
  readonly url: string;
  close(): Promise<void>;
}

export interface NeutronOnContrailOptions {
  readonly contrail: ContrailSimulator;
  /** Who knows whose a token is: an embedded Keystone, or the client of a real one. */
  readonly keystone: TokenValidator;
  /** Where a client without a token is sent. */
  readonly authUri?: () => string;
  /** The projects of that Keystone; the Contrail is told of them, unless it asks a Keystone itself. */
  readonly projects?: readonly { readonly id: string; readonly name: string }[];
  /** What the plugin shows a Contrail that wants tokens. */
  readonly contrailToken?: () => string;
  /** Whether ports and networks may have descriptions: not every version of the plugin knows them. */
  readonly descriptions?: boolean;
  readonly port?: number;
}

/** Its face, to be mounted somewhere. */
export function neutronOnContrailFace(options: Omit<NeutronOnContrailOptions, 'port'>): Express {
  const { contrail, keystone, projects = [], contrailToken, descriptions = true } = options;
  const { authUri = () => 'http://127.0.0.1/identity/v3' } = options;
  for (const project of projects) contrail.addProject(project);
  const backend = createBackend(contrail.url, contrailToken ?? (() => FIXED_TOKENS.admin));
  return createNeutronFace({ backend, validator: keystone, authUri, descriptions });
}

export async function startNeutronOnContrail(options: NeutronOnContrailOptions): Promise<NeutronOnContrail> {
  const server = createServer(neutronOnContrailFace(options));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
