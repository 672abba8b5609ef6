import type { TlsOptions } from 'node:tls';
import type { Schemas } from '../../../api/openapi/schemas';
import { issue, issueCrl } from '../../support/certificates/issue';
import { ask } from '../clients/web';
import { inTls } from '../keys';
import type { Row } from '../row';
import type { Served, Stage } from '../stage';

const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
const PROTOCOLS = ['h2', 'http/1.1', 'http/1.0'] as const;

/** A member that speaks TLS, with a certificate of `authority`. */
async function tlsMember(stage: Stage, options: TlsOptions = {}) {
  const authority = await issue({ cn: 'members', isCa: true });
  const certificate = await issue({ cn: 'member.example', issuer: authority });
  const backend = await stage.web('one', { tls: { ...inTls(certificate), ...options } });
  return { authority, certificate, backend };
}

async function serve(stage: Stage, pool: Partial<Schemas['PoolCreate']>, backend: { address: string; port: number }) {
  const served = await stage.serve({ pool: { tls_enabled: true, ...pool }, members: [{ backend }] });
  const change = (fields: object) => stage.update(served, `pools/${served.poolId}`, { pool: fields });
  return { served, change };
}

const statusOf = async (served: Served) => (await ask(served)).status;
const seenBy = async (served: Served) => (await ask(served)).arrival().tls;

/** How members are spoken to over TLS. */
export const tlsPoolRows: readonly Row[] = [
  {
    proves: ['POST pool.tls_enabled', 'PUT pool.tls_enabled'],
    title: 'members are spoken to over TLS when that is said, and in the clear when not',
    async run(stage) {
      const { backend } = await tlsMember(stage);
      const { served, change } = await serve(stage, { tls_enabled: true }, backend);
      expect((await seenBy(served))?.version).toBe('TLSv1.3');
      await change({ tls_enabled: false });
      expect(await statusOf(served)).toBe(502);
      await change({ tls_enabled: true });
      expect(await statusOf(served)).toBe(200);
    },
  },
  {
    proves: ['POST pool.ca_tls_container_ref', 'PUT pool.ca_tls_container_ref'],
    title: 'members must have a certificate of the CA that is said',
    async run(stage) {
      const { backend, authority } = await tlsMember(stage);
      const other = await issue({ cn: 'others', isCa: true });
      const ca_tls_container_ref = await stage.keys.secret(authority.pem);
      const { served, change } = await serve(stage, { ca_tls_container_ref }, backend);
      expect(await statusOf(served)).toBe(200);
      await change({ ca_tls_container_ref: await stage.keys.secret(other.pem) });
      expect(await statusOf(served)).toBe(503);
      await change({ ca_tls_container_ref: null });
      expect(await statusOf(served)).toBe(200);
    },
  },
  {
    proves: ['POST pool.crl_container_ref', 'PUT pool.crl_container_ref'],
    title: 'members whose certificates are revoked get no traffic',
    async run(stage) {
      const { backend, authority, certificate } = await tlsMember(stage);
      const listOf = async (...revoked: (typeof certificate)[]) =>
        stage.keys.secret(await issueCrl(authority, undefined, revoked));
      const refs = {
        ca_tls_container_ref: await stage.keys.secret(authority.pem),
        crl_container_ref: await listOf(certificate),
      };
      const { served, change } = await serve(stage, refs, backend);
      expect(await statusOf(served)).toBe(503);
      await change({ crl_container_ref: await listOf() });
      expect(await statusOf(served)).toBe(200);
    },
  },
  {
    proves: ['POST pool.tls_container_ref', 'PUT pool.tls_container_ref'],
    title: 'members that ask for a certificate are shown the one that is said',
    async run(stage) {
      const { backend } = await tlsMember(stage, { requestCert: true, rejectUnauthorized: false });
      const refOf = async (cn: string) => stage.keys.container(await issue({ cn }));
      const { served, change } = await serve(stage, { tls_container_ref: await refOf('first') }, backend);
      expect((await seenBy(served))?.clientName).toBe('first');
      await change({ tls_container_ref: await refOf('second') });
      expect((await seenBy(served))?.clientName).toBe('second');
      await change({ tls_container_ref: null });
      expect((await seenBy(served))?.clientName).toBeNull();
    },
  },
  {
    proves: ['POST pool.tls_ciphers', 'PUT pool.tls_ciphers'],
    title: 'members are offered the ciphers that are said',
    async run(stage) {
      const [aes128, aes256] = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'];
      const { backend } = await tlsMember(stage, { maxVersion: 'TLSv1.2' });
      const { served, change } = await serve(stage, { tls_ciphers: aes128 }, backend);
      expect((await seenBy(served))?.cipher).toBe(aes128);
      await change({ tls_ciphers: aes256 });
      expect((await seenBy(served))?.cipher).toBe(aes256);
    },
  },
  {
    proves: [
      'POST pool.tls_versions',
      'PUT pool.tls_versions',
      ...VERSIONS.map((version) => `pool.tls_versions=${version}` as const),
    ],
    title: 'members are spoken to in the versions of TLS that are said',
    async run(stage) {
      const { backend } = await tlsMember(stage, { minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' });
      const { served, change } = await serve(stage, { tls_versions: ['TLSv1.2'], tls_ciphers: 'ALL' }, backend);
      expect((await seenBy(served))?.version).toBe('TLSv1.2');
      for (const version of VERSIONS) {
        await change({ tls_versions: [version] });
        expect((await seenBy(served))?.version).toBe(version);
      }
    },
    timeout: 40_000,
  },
  {
    proves: [
      'POST pool.alpn_protocols',
      'PUT pool.alpn_protocols',
      ...PROTOCOLS.map((protocol) => `pool.alpn_protocols=${protocol}` as const),
    ],
    title: 'members are offered the protocols that are said, and spoken to in the one they choose',
    async run(stage) {
      const { backend } = await tlsMember(stage, { ALPNProtocols: ['h2', 'http/1.1'] });
      const { served, change } = await serve(stage, { alpn_protocols: ['h2', 'http/1.1'] }, backend);
      const seen = async () => {
        const { httpVersion, tls } = (await ask(served)).arrival();
        return [tls?.alpn, httpVersion];
      };
      expect(await seen()).toEqual(['h2', '2.0']);
      await change({ alpn_protocols: ['http/1.1'] });
      expect(await seen()).toEqual(['http/1.1', '1.1']);
      const old = await tlsMember(stage, { ALPNProtocols: ['http/1.0'] });
      const other = await serve(stage, { alpn_protocols: ['http/1.0', 'http/1.1'] }, old.backend);
      expect((await seenBy(other.served))?.alpn).toBe('http/1.0');
    },
  },
];
