import type { ApiClient } from '../support/apiClient';
import type { Issued } from '../support/certificates/issue';
import { ownerOverHttp } from '../support/simulators/keyOwner';

/** What the user keeps in the site's Barbican; each gives the reference that an Octavia request takes. */
export interface Keys {
  /** A certificate container. */
  container(issued: Issued, intermediates?: readonly Issued[]): Promise<string>;
  /** A secret: a PKCS12 bundle, a CA bundle, a revocation list. */
  secret(content: string | Buffer): Promise<string>;
}

/** Of the user that is logged in. */
export function openKeys({ token, endpoint }: ApiClient): Keys {
  const url = endpoint('key-manager').replace(/\/v1\/?$/, '');
  // Over HTTP a token is all there is to a caller.
  const identity = { userId: '', projectId: null, domainId: null, systemScope: null, roles: [], isAdmin: false };
  const owner = ownerOverHttp(url, { token, identity });
  return {
    async container(issued, intermediates = []) {
      const { id } = await owner.contain({
        certificate: await owner.keep(issued.pem),
        private_key: await owner.keep(issued.keyPem),
        ...(intermediates.length > 0 && {
          intermediates: await owner.keep(intermediates.map(({ pem }) => pem).join('')),
        }),
      });
      return `${url}/v1/containers/${id}`;
    },
    secret: async (content) => `${url}/v1/secrets/${(await owner.keep(content)).id}`,
  };
}

/** What Node's TLS servers and clients take of it. */
export function inTls({ pem, keyPem }: Issued): { readonly cert: string; readonly key: string } {
  return { cert: pem, key: keyPem };
}
