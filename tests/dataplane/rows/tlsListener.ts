import { issue, issueCrl, readBundleFile } from '../../support/certificates/issue';
import { ask, askH2, shakeHands } from '../clients/web';
import { inTls } from '../keys';
import type { Row } from '../row';
import { clientsOf, OLD_CLIENT, serveTls } from '../terminated';

const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
const PROTOCOLS = ['h2', 'http/1.1', 'http/1.0'] as const;

const certificateAt = async (host: string, port: number, servername?: string) =>
  (await shakeHands(host, port, servername === undefined ? {} : { servername })).certificate.subject.CN;

/** How listeners speak TLS. */
export const tlsListenerRows: readonly Row[] = [
  {
    proves: [
      'listener.protocol=TERMINATED_HTTPS',
      'POST listener.default_tls_container_ref',
      'PUT listener.default_tls_container_ref',
    ],
    title: 'a TERMINATED_HTTPS listener shows its certificate and chain, and speaks in the clear to members',
    async run(stage) {
      const root = await issue({ cn: 'root', isCa: true });
      const middle = await issue({ cn: 'middle', isCa: true, issuer: root });
      const leaf = await issue({ cn: 'www.example', dnsNames: ['www.example'], issuer: middle });
      const one = await stage.web('one');
      const ref = await stage.keys.container(leaf, [middle]);
      const served = await serveTls(stage, { default_tls_container_ref: ref }, [{ backend: one }]);
      // Verified, so that it works only with the certificate between root and leaf.
      const tls = { ca: root.pem, servername: 'www.example', rejectUnauthorized: true };
      expect((await ask({ ...served, tls })).arrival().tls).toBeNull();
      await expect(ask(served)).rejects.toThrow();

      const body = { listener: { default_tls_container_ref: await stage.keys.secret(readBundleFile('aes')) } };
      await stage.update(served, `listeners/${served.listenerId}`, body);
      expect(await certificateAt(served.host, served.port)).not.toBe('www.example');
      expect((await ask({ ...served, tls: {} })).status).toBe(200);
    },
  },
  {
    proves: ['POST listener.sni_container_refs', 'PUT listener.sni_container_refs'],
    title: 'clients see the certificate of the name they ask for, and the default one for others',
    async run(stage) {
      const refOf = async (name: string) => stage.keys.container(await issue({ cn: name, dnsNames: [name] }));
      const sni_container_refs = [await refOf('a.example'), await refOf('b.example')];
      const served = await serveTls(stage, { sni_container_refs }, [{ backend: await stage.web('one') }]);
      const seen = async (name: string) => certificateAt(served.host, served.port, name);
      expect(await seen('a.example')).toBe('a.example');
      expect(await seen('b.example')).toBe('b.example');
      expect(await seen('c.example')).toBe('www.example');
      const body = { listener: { sni_container_refs: [await refOf('c.example')] } };
      await stage.update(served, `listeners/${served.listenerId}`, body);
      expect(await seen('c.example')).toBe('c.example');
      expect(await seen('a.example')).toBe('www.example');
    },
  },
  {
    proves: [
      'POST listener.tls_versions',
      'PUT listener.tls_versions',
      ...VERSIONS.map((version) => `listener.tls_versions=${version}` as const),
    ],
    title: 'only the versions of TLS that are said are spoken',
    async run(stage) {
      // The default list has none for the kind of key that this certificate has.
      const fields = { tls_versions: ['TLSv1.2'], tls_ciphers: 'ALL' };
      const served = await serveTls(stage, fields, [{ backend: await stage.web('one') }]);
      const spoken = async () => {
        const versions: string[] = [];
        for (const version of VERSIONS) {
          const tls = { ...OLD_CLIENT, minVersion: version, maxVersion: version };
          const answer = await ask({ ...served, tls }).catch(() => null);
          if (answer !== null) versions.push(version);
        }
        return versions;
      };
      expect(await spoken()).toEqual(['TLSv1.2']);
      for (const tls_versions of [['TLSv1'], ['TLSv1.1'], ['TLSv1.3'], ['TLSv1.2', 'TLSv1.3']]) {
        await stage.update(served, `listeners/${served.listenerId}`, { listener: { tls_versions } });
        expect(await spoken()).toEqual(tls_versions);
      }
    },
    timeout: 40_000,
  },
  {
    proves: ['POST listener.tls_ciphers', 'PUT listener.tls_ciphers'],
    title: 'only the ciphers that are said are taken',
    async run(stage) {
      const [aes128, aes256] = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'];
      const served = await serveTls(stage, { tls_ciphers: aes128 }, [{ backend: await stage.web('one') }]);
      const agreed = async () => (await shakeHands(served.host, served.port, { maxVersion: 'TLSv1.2' })).cipher;
      expect(await agreed()).toBe(aes128);
      await stage.update(served, `listeners/${served.listenerId}`, { listener: { tls_ciphers: aes256 } });
      expect(await agreed()).toBe(aes256);
      await expect(shakeHands(served.host, served.port, { maxVersion: 'TLSv1.2', ciphers: aes128 })).rejects.toThrow();
    },
  },
  {
    proves: [
      'POST listener.alpn_protocols',
      'PUT listener.alpn_protocols',
      ...PROTOCOLS.map((protocol) => `listener.alpn_protocols=${protocol}` as const),
    ],
    title: 'client and listener agree on a protocol that is said, and speak it',
    async run(stage) {
      const served = await serveTls(stage, { alpn_protocols: ['h2'] }, [{ backend: await stage.web('one') }]);
      const offer = async (...ALPNProtocols: string[]) =>
        (await shakeHands(served.host, served.port, { ALPNProtocols })).alpn;
      expect(await offer('h2', 'http/1.1')).toBe('h2');
      expect((await askH2({ ...served, tls: {} })).status).toBe(200);
      for (const protocol of ['http/1.1', 'http/1.0']) {
        const body = { listener: { alpn_protocols: [protocol] } };
        await stage.update(served, `listeners/${served.listenerId}`, body);
        expect(await offer('h2', protocol)).toBe(protocol);
        expect((await ask({ ...served, tls: { ALPNProtocols: [protocol] } })).status).toBe(200);
      }
    },
  },
  {
    proves: [
      ...(['POST listener.hsts_max_age', 'PUT listener.hsts_max_age'] as const),
      ...(['POST listener.hsts_include_subdomains', 'PUT listener.hsts_include_subdomains'] as const),
      ...(['POST listener.hsts_preload', 'PUT listener.hsts_preload'] as const),
    ],
    title: 'answers carry Strict-Transport-Security as it is said',
    async run(stage) {
      const fields = { hsts_max_age: 3600, hsts_include_subdomains: true, hsts_preload: true };
      const served = await serveTls(stage, fields, [{ backend: await stage.web('one') }]);
      const seen = async () => (await ask({ ...served, tls: {} })).headers['strict-transport-security'];
      expect(await seen()).toBe('max-age=3600; includeSubDomains; preload');
      const change = (listener: object) => stage.update(served, `listeners/${served.listenerId}`, { listener });
      await change({ hsts_include_subdomains: false });
      expect(await seen()).toBe('max-age=3600; preload');
      await change({ hsts_max_age: 60, hsts_preload: false });
      expect(await seen()).toBe('max-age=60');
    },
  },
  {
    proves: [
      ...(['POST listener.client_authentication', 'PUT listener.client_authentication'] as const),
      ...(['POST listener.client_ca_tls_container_ref', 'PUT listener.client_ca_tls_container_ref'] as const),
      ...(['listener.client_authentication=NONE', 'listener.client_authentication=OPTIONAL'] as const),
      'listener.client_authentication=MANDATORY',
    ],
    title: 'client certificates are not asked for, wanted or needed, and those of strangers turned away',
    async run(stage) {
      const { authority, client, stranger } = await clientsOf();
      const other = await issue({ cn: 'other authority', isCa: true });
      const served = await serveTls(
        stage,
        { client_authentication: 'MANDATORY', client_ca_tls_container_ref: await stage.keys.secret(authority.pem) },
        [{ backend: await stage.web('one') }],
      );
      const gets = async (tls: object) => (await ask({ ...served, tls }).catch(() => ({ status: 0 }))).status;
      const seen = async () => [await gets({}), await gets(inTls(client)), await gets(inTls(stranger))];
      const change = (listener: object) => stage.update(served, `listeners/${served.listenerId}`, { listener });
      expect(await seen()).toEqual([0, 200, 0]);
      await change({ client_authentication: 'OPTIONAL' });
      expect(await seen()).toEqual([200, 200, 0]);
      await change({ client_authentication: 'NONE' });
      expect(await seen()).toEqual([200, 200, 200]);
      await change({
        client_authentication: 'MANDATORY',
        client_ca_tls_container_ref: await stage.keys.secret(other.pem),
      });
      expect(await seen()).toEqual([0, 0, 0]);
    },
  },
  {
    proves: ['POST listener.client_crl_container_ref', 'PUT listener.client_crl_container_ref'],
    title: 'clients whose certificates are revoked are turned away',
    async run(stage) {
      const { authority, client } = await clientsOf();
      const another = await issue({ cn: 'client two', issuer: authority });
      const revoking = async (...revoked: (typeof client)[]) =>
        stage.keys.secret(await issueCrl(authority, undefined, revoked));
      const served = await serveTls(
        stage,
        {
          client_authentication: 'MANDATORY',
          client_ca_tls_container_ref: await stage.keys.secret(authority.pem),
          client_crl_container_ref: await revoking(client),
        },
        [{ backend: await stage.web('one') }],
      );
      const gets = async (issued: typeof client) =>
        (await ask({ ...served, tls: inTls(issued) }).catch(() => ({ status: 0 }))).status;
      expect([await gets(client), await gets(another)]).toEqual([0, 200]);
      const body = { listener: { client_crl_container_ref: await revoking(another) } };
      await stage.update(served, `listeners/${served.listenerId}`, body);
      expect([await gets(client), await gets(another)]).toEqual([200, 0]);
    },
  },
];
