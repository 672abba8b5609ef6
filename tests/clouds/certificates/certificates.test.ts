import { createCertificates } from '../../../driver/clouds/certificates/certificates';
import type { CallerAccess, TlsReferences } from '../../../driver/clouds/certificates/port';
import { type Issued, issue, issueCrl, readBundleFile } from '../../support/certificates/issue';
import { aBarbican, type BarbicanSite } from '../../support/simulators/barbican';

const NOW = new Date('2026-06-01T00:00:00Z');
const HOST = 'http://keys.example.org:9311/v1';

let site: BarbicanSite;
let member: CallerAccess;
let ca: Issued;
let web: Issued;
let certificates: ReturnType<typeof createCertificates>;

beforeAll(async () => {
  ca = await issue({ cn: 'Authority', isCa: true });
  web = await issue({ cn: 'web.example.org', issuer: ca });
});

beforeEach(async () => {
  site = await aBarbican();
  member = await site.caller('member', 'demo');
  certificates = createCertificates({ store: site.store, now: () => NOW });
});

/** Keeps a secret of the member's (or another's) and answers its reference. */
async function keep(content: string | Buffer, owner = member): Promise<string> {
  const { id } = await site.barbican.createSecret(owner.identity, {
    name: null,
    secretType: 'opaque',
    algorithm: null,
    bitLength: null,
    mode: null,
    expiration: null,
    payload: { content: Buffer.from(content), contentType: 'application/octet-stream' },
  });
  return `${HOST}/secrets/${id}`;
}

async function contain(parts: Record<string, string | Buffer>): Promise<string> {
  const secretRefs = [];
  for (const [name, content] of Object.entries(parts)) {
    secretRefs.push({ name, secretId: (await keep(content)).split('/').at(-1) ?? '' });
  }
  const { id } = await site.barbican.createContainer(member.identity, { name: null, type: 'certificate', secretRefs });
  return `${HOST}/containers/${id}`;
}

function containIssued({ pem, keyPem }: Issued): Promise<string> {
  return contain({ certificate: pem, private_key: keyPem });
}

function check(references: Partial<TlsReferences>, caller = member): Promise<void> {
  return certificates.checkReferences({ certificates: [], ca: null, crl: null, ...references }, caller);
}

describe('a listener that refers to', () => {
  it.each([
    ['a container', () => containIssued(web)],
    ['a PKCS12 secret', () => keep(readBundleFile('aes'))],
    ['a bare id', async () => (await containIssued(web)).split('/').at(-1) ?? ''],
    [
      'an id without hyphens',
      async () => (await keep(readBundleFile('rc2'))).split('/').at(-1)?.replaceAll('-', '') ?? '',
    ],
    ['a container with a slash at the end', async () => `${await containIssued(web)}/`],
    [
      'a container at another address',
      async () => (await containIssued(web)).replace(HOST, 'https://elsewhere/keys/v1'),
    ],
  ])('%s is accepted, and the service may then fetch the material', async (_what, refOf) => {
    const ref = await refOf();
    // PKCS12 fixtures are valid from the day they were made.
    certificates = createCertificates({ store: site.store, now: () => new Date('2027-06-01T00:00:00Z') });

    await check({ certificates: [ref] });

    const material = await certificates.fetchMaterial(ref, 'service');
    expect(material.privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  });

  it('a container with all four parts is given all of them', async () => {
    const encrypted = web.key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' });
    const ref = await contain({
      certificate: web.pem,
      private_key: encrypted.toString(),
      private_key_passphrase: 'sesame',
      intermediates: ca.pem,
    });

    await check({ certificates: [ref] });

    expect(await certificates.fetchMaterial(ref, 'service')).toMatchObject({
      certificate: web.pem,
      intermediates: [ca.pem],
      privateKey: web.keyPem,
      primaryCn: 'web.example.org',
    });
  });
});

describe('a certificate is refused with "Could not retrieve certificate"', () => {
  it.each<[string, () => Promise<string>]>([
    ['when it is not there', async () => `${HOST}/containers/5ca1ab1e-0000-4000-8000-000000000000`],
    ['when the secret is not there', async () => `${HOST}/secrets/5ca1ab1e-0000-4000-8000-000000000000`],
    ['when the reference is none', async () => 'my-certificate'],
    [
      'when it belongs to another project',
      async () => keep(readBundleFile('aes'), await site.caller('admin', 'admin')),
    ],
    ['without a key', () => contain({ certificate: web.pem })],
    ['with the key of another', async () => contain({ certificate: web.pem, private_key: ca.keyPem })],
    ['with garbage for a certificate', () => contain({ certificate: 'garbage', private_key: web.keyPem })],
    ['with garbage for a key', () => contain({ certificate: web.pem, private_key: 'garbage' })],
    ['with bad intermediates', () => contain({ certificate: web.pem, private_key: web.keyPem, intermediates: 'x' })],
  ])('%s', async (_what, refOf) => {
    const ref = await refOf();

    await expect(check({ certificates: [ref] })).rejects.toMatchObject({
      status: 400,
      message: `Could not retrieve certificate: ['${ref}']`,
    });
  });

  it.each([
    ['has expired', { notBefore: new Date('2025-01-01Z'), notAfter: NOW }, 'it expired on 2026-06-01T00:00:00.000Z'],
    ['is not valid yet', { notBefore: new Date('2026-06-02Z') }, 'it is not valid before 2026-06-02T00:00:00.000Z'],
  ])('and the reason when it %s, which Octavia would not tell', async (_what, period, reason) => {
    const ref = await containIssued(await issue({ cn: 'web', ...period }));

    await expect(check({ certificates: [ref] })).rejects.toThrow(
      `Could not retrieve certificate: ['${ref}']. ${ref} cannot be used: ${reason}`,
    );
    expect((await certificates.fetchMaterial(ref, member)).primaryCn).toBe('web');
  });

  it('naming every bad reference once, in the order of the request', async () => {
    const good = await containIssued(web);
    const bad = [`${HOST}/containers/b`, `${HOST}/secrets/5ca1ab1e-0000-4000-8000-000000000000`, 'a'];

    await expect(check({ certificates: [bad[0], good, bad[1], bad[2], bad[0]] as string[] })).rejects.toMatchObject({
      message: `Could not retrieve certificate: ['${bad.join("', '")}']`,
      reasons: bad.map((ref) => expect.stringContaining(ref)),
    });
  });

  it('when the caller may read it and the service may not, and the caller cannot change that', async () => {
    const stranger = await site.caller('admin', 'admin');
    const ref = await keep(readBundleFile('clear'));
    certificates = createCertificates({ store: site.store, now: () => new Date('2027-06-01T00:00:00Z') });
    const id = ref.split('/').at(-1) ?? '';
    const users = [stranger.identity.userId];
    await site.barbican.setAcl(member.identity, { kind: 'secret', id }, { users, projectAccess: true });

    await expect(check({ certificates: [ref] }, stranger)).rejects.toMatchObject({
      message: `Could not retrieve certificate: ['${ref}']`,
      reasons: [expect.stringContaining('the load-balancing service may not read it')],
    });

    // The owner's own use opens it to the service; then anybody who may read it may refer to it.
    await check({ certificates: [ref] });
    await check({ certificates: [ref] }, stranger);
  });

  it('and the service is given no access to what was refused', async () => {
    const ref = await contain({ certificate: web.pem, private_key: ca.keyPem });

    await expect(check({ certificates: [ref] })).rejects.toThrow('Could not retrieve');

    await expect(certificates.fetchMaterial(ref, 'service')).rejects.toMatchObject({
      reasons: [expect.stringContaining('may not be read')],
    });
  });
});

it('refuses a bundle that is none, or needs a pass phrase, with the text for PKCS12', async () => {
  for (const content of [readBundleFile('pass-phrase'), 'garbage', web.pem]) {
    await expect(check({ certificates: [await keep(content)] })).rejects.toMatchObject({
      status: 400,
      message:
        'The PKCS12 bundle is unreadable. Please check the PKCS12 bundle validity. In addition, make sure it does not ' +
        'require a pass phrase. Error: Invalid password or PKCS12 data',
    });
  }
});

it('refuses a certificate that names nobody', async () => {
  const ref = await containIssued(await issue({ cn: '' }));

  await expect(check({ certificates: [ref] })).rejects.toMatchObject({
    status: 400,
    message: 'No CN or DNSName(s) found in certificate. The certificate is invalid.',
  });
});

describe('client authorities', () => {
  it('are accepted with their revocation list, and may then be fetched', async () => {
    const second = await issue({ cn: 'Second', isCa: true });
    const caRef = await keep(`# ours\n${ca.pem}${second.pem}`);
    const crlRef = await keep(`${await issueCrl(second)}${await issueCrl(ca)}`);

    await check({ ca: caRef, crl: crlRef });

    expect(await certificates.fetchCaBundle(caRef, 'service')).toBe(`${ca.pem}${second.pem}`);
    expect((await certificates.fetchCrl(crlRef, 'service')).match(/BEGIN X509 CRL/g)).toHaveLength(2);
  });

  it('are told together with their list when neither is there, as Octavia does', async () => {
    await expect(check({ ca: 'ca', crl: 'crl' })).rejects.toThrow("Could not retrieve certificate: ['ca', 'crl']");
    const caRef = await keep(ca.pem);
    await expect(check({ ca: caRef, crl: 'crl' })).rejects.toThrow("Could not retrieve certificate: ['crl']");
  });

  it.each([
    ['garbage', () => 'garbage', 'Unable to load PEM file'],
    ['DER', () => ca.der, 'Unable to load PEM file'],
    ['a broken certificate', () => ca.pem.replace(/\n.{20}/, '\n'), 'the certificate cannot be read'],
    ['no certificate at all', () => ca.keyPem, 'no certificate in it'],
  ])('are refused when they are %s', async (_what, contentOf, reason) => {
    await expect(check({ ca: await keep(contentOf()) })).rejects.toThrow(
      'Validation failure: The client authentication CA certificate is invalid. It must be a valid x509 PEM format ' +
        `certificate. Error: ${reason}`,
    );
  });

  it('are refused when all have expired, and not when one of them has', async () => {
    const old = await issue({
      cn: 'Old',
      isCa: true,
      notBefore: new Date('2020-01-01Z'),
      notAfter: new Date('2021-01-01Z'),
    });

    await expect(check({ ca: await keep(old.pem) })).rejects.toThrow('Error: it expired on 2021-01-01T00:00:00.000Z');
    await check({ ca: await keep(old.pem + ca.pem) });
  });

  it('are refused with a list of another authority, even one of the same name', async () => {
    const caRef = await keep(ca.pem);
    const other = await issue({ cn: 'Other', isCa: true });
    const namesake = await issue({ cn: 'Authority', isCa: true });

    for (const authority of [other, namesake]) {
      await expect(check({ ca: caRef, crl: await keep(await issueCrl(authority)) })).rejects.toThrow(
        'Validation failure: The CRL specified is not valid for client certificate authority reference supplied.',
      );
    }
    const mixed = `${await issueCrl(ca)}${await issueCrl(other)}`;
    await expect(check({ ca: caRef, crl: await keep(mixed) })).rejects.toThrow('The CRL specified is not valid');
  });

  it.each([
    ['garbage', async () => 'garbage', 'Unable to load PEM file'],
    ['a certificate', async () => ca.pem, 'Unable to load PEM file'],
    ['a broken list', async () => (await issueCrl(ca)).replace(/\n.{20}/, '\n'), 'the revocation list cannot be read'],
    ['an expired list', () => issueCrl(ca, NOW), 'it expired on 2026-06-01T00:00:00.000Z'],
  ])('are refused with %s for a list', async (_what, contentOf, reason) => {
    await expect(check({ ca: await keep(ca.pem), crl: await keep(await contentOf()) })).rejects.toThrow(
      'Validation failure: The client authentication certificate revocation list is invalid. It must be a valid x509 ' +
        `PEM format certificate revocation list. Error: ${reason}`,
    );
  });
});

it('registers the use of a container, and does nothing for a secret', async () => {
  const ref = await containIssued(web);
  await check({ certificates: [ref] });
  const consumer = { name: 'Octavia', url: 'http://lb/v2/lbaas/listeners/1' };
  const consumersOf = () => site.barbican.get(member.identity, 'container', ref.split('/').at(-1) ?? '').consumers;

  await certificates.registerConsumer(ref, consumer);
  await certificates.registerConsumer(await keep('x'), consumer);
  expect(consumersOf()).toEqual([consumer]);

  await certificates.unregisterConsumer(ref, consumer);
  expect(consumersOf()).toEqual([]);
});
