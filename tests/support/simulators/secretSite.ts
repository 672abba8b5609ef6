import { createHttpSecretStore } from '../../../driver/clouds/certificates/http';
import type { CallerAccess } from '../../../driver/clouds/certificates/port';
import type { SecretSite } from '../../contracts/certificatesSuite';
import { ownerOverHttp } from './keyOwner';

/** The store over HTTP in front of the Barbican at the URL (without its version), for these three. */
export function openSecretSite(
  url: string,
  { member, stranger, service }: Record<'member' | 'stranger' | 'service', CallerAccess>,
): SecretSite {
  const serviceUserId = service.identity.userId;
  const session = { token: async () => service.token, userId: async () => serviceUserId };
  const store = createHttpSecretStore({ endpoint: async () => url, service: session });
  return { store, owner: ownerOverHttp(url, member), member, stranger, serviceUserId, close: () => store.close() };
}
