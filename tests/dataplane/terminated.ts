import type { ConnectionOptions } from 'node:tls';
import type { Schemas } from '../../api/openapi/schemas';
import { type Issued, issue } from '../support/certificates/issue';
import type { MemberGiven, Served, Stage } from './stage';

/** A site that takes the old versions of TLS too, which are forbidden unless said otherwise. */
export const WITH_OLD_TLS = { api_settings: { minimum_tls_version: 'TLSv1' } } as const;

/** OpenSSL speaks old versions of TLS only at its lowest level of security. */
export const OLD_CLIENT: ConnectionOptions = { ciphers: 'DEFAULT:@SECLEVEL=0', minVersion: 'TLSv1' };

/** Serves TERMINATED_HTTPS with a certificate for `www.example`, or with what the fields say. */
export async function serveTls(
  stage: Stage,
  fields: Partial<Schemas['ListenerCreate']>,
  members: readonly MemberGiven[],
  pool: Partial<Schemas['PoolCreate']> = {},
): Promise<Served> {
  const default_tls_container_ref =
    fields.default_tls_container_ref ?? (await stage.keys.container(await issue({ cn: 'www.example' })));
  return stage.serve({
    listener: { protocol: 'TERMINATED_HTTPS', ...fields, default_tls_container_ref },
    pool,
    members,
  });
}

/** An authority of clients, one of them, and one of an authority that nobody knows. */
export async function clientsOf(): Promise<{ authority: Issued; client: Issued; stranger: Issued }> {
  const authority = await issue({ cn: 'clients', isCa: true });
  // haproxy 2.6 tells no time beyond 2099.
  const notAfter = new Date('2040-01-01T00:00:00Z');
  const client = await issue({ cn: 'client one', issuer: authority, notAfter });
  const stranger = await issue({ cn: 'stranger', issuer: await issue({ cn: 'elsewhere', isCa: true }) });
  return { authority, client, stranger };
}
