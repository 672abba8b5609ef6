import { X509Certificate } from 'node:crypto';
import { judgeValidity, readBundle, readParts } from '../../../../driver/clouds/certificates/x509/material';
import { type Issued, issue, readBundleFile } from '../../../support/certificates/issue';

let root: Issued;
let middle: Issued;
let site: Issued;
let other: Issued;

beforeAll(async () => {
  root = await issue({ cn: 'Root', isCa: true });
  middle = await issue({ cn: 'Middle', isCa: true, issuer: root });
  site = await issue({ cn: 'Site.Example.org', dnsNames: ['site.example.org', '*.example.org'], issuer: middle });
  other = await issue({ cn: 'other.example.org' });
});

function read(certificate: string | Buffer, privateKey: string | Buffer, rest: Record<string, string | Buffer> = {}) {
  const more = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, Buffer.from(value)]));
  return readParts({ certificate: Buffer.from(certificate), privateKey: Buffer.from(privateKey), ...more });
}

function subjects(pems: readonly string[]): string[] {
  return pems.map((pem) => new X509Certificate(pem).subject);
}

describe('a certificate and its key', () => {
  it('are read from PEM, with names and validity', async () => {
    const material = await read(site.pem, site.keyPem);

    expect(material).toMatchObject({
      certificate: site.pem,
      intermediates: [],
      privateKey: site.keyPem,
      primaryCn: 'site.example.org',
      dnsNames: ['site.example.org', '*.example.org'],
      notBefore: new Date('2026-01-01T00:00:00Z'),
      notAfter: new Date('2126-01-01T00:00:00Z'),
    });
    expect(material.fingerprint).toBe(new X509Certificate(site.pem).fingerprint256.replaceAll(':', '').toLowerCase());
  });

  it.each([
    ['PKCS8', () => site.key.export({ type: 'pkcs8', format: 'der' })],
    ['SEC1', () => site.key.export({ type: 'sec1', format: 'der' })],
    ['SEC1 in PEM', () => site.key.export({ type: 'sec1', format: 'pem' })],
    ['PKCS8 in PEM after a comment', () => `my key\n\n${site.keyPem.replaceAll('\n', '\r\n')}`],
  ])('are read whatever form the key has: %s', async (_what, keyOf) => {
    const { certificate, privateKey } = await read(site.der, keyOf());

    expect(certificate).toBe(site.pem);
    expect(privateKey).toBe(site.keyPem);
  });

  it('name the first DNS name where there is no CN, and nobody where there is neither', async () => {
    const named = await issue({ cn: '', dnsNames: ['b.example.org', 'a.example.org'] });
    const nameless = await issue({ cn: '' });

    expect((await read(named.pem, named.keyPem)).primaryCn).toBe('b.example.org');
    expect(await read(nameless.pem, nameless.keyPem)).toMatchObject({ primaryCn: null, dnsNames: [] });
  });

  it.each<[string, () => [string | Buffer, string | Buffer], string]>([
    ['a key of another certificate', () => [site.pem, other.keyPem], 'does not belong to the certificate'],
    ['garbage for a certificate', () => ['garbage', site.keyPem], 'the certificate cannot be read'],
    ['a broken certificate', () => [site.pem.replace(/\n.{20}/, '\n'), site.keyPem], 'the certificate cannot be read'],
    ['a key for a certificate', () => [site.keyPem, site.keyPem], 'no certificate in it'],
    ['nothing for a certificate', () => ['', site.keyPem], 'the certificate cannot be read'],
    ['garbage for a key', () => [site.pem, 'garbage'], 'the private key cannot be read'],
    ['a certificate for a key', () => [site.pem, site.pem], 'no private key in it'],
    ['a broken key', () => [site.pem, site.keyPem.replace(/\n.{20}/, '\n')], 'the private key cannot be read'],
  ])('are refused with %s', async (_what, partsOf, reason) => {
    const refusal = read(...partsOf());

    await expect(refusal).rejects.toThrow(reason);
    await expect(refusal).rejects.not.toThrow(site.keyPem.slice(40, 60));
  });
});

describe('a key with a pass phrase', () => {
  const encrypt = (cipher: string, format: 'pem' | 'der') =>
    site.key.export({ type: 'pkcs8', format: format as 'pem', cipher, passphrase: 'öpen' });

  it.each([
    ['aes-256-cbc', 'pem'],
    ['aes-128-cbc', 'der'],
    ['des-ede3-cbc', 'pem'],
  ] as const)('is opened: %s in %s', async (cipher, format) => {
    const { privateKey } = await read(site.pem, encrypt(cipher, format), { passphrase: 'öpen' });

    expect(privateKey).toBe(site.keyPem);
  });

  it('is opened in the traditional form of OpenSSL', async () => {
    const pem = site.key.export({ type: 'sec1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'open' });

    expect((await read(site.pem, pem, { passphrase: 'open' })).privateKey).toBe(site.keyPem);
    await expect(read(site.pem, pem)).rejects.toThrow('pass phrase may be missing or wrong');
    await expect(read(site.pem, pem, { passphrase: 'guess' })).rejects.toThrow('pass phrase may be missing or wrong');
  });

  it('is refused without the pass phrase and with a wrong one', async () => {
    const pem = encrypt('aes-256-cbc', 'pem');

    await expect(read(site.pem, pem)).rejects.toThrow('the private key needs a pass phrase');
    await expect(read(site.pem, pem, { passphrase: 'guess' })).rejects.toThrow(/pass phrase|cannot be read/);
  });

  it('is refused, and not worked on for minutes, when it wants a thousand million rounds', async () => {
    const der = Buffer.from(encrypt('aes-256-cbc', 'der'));
    const rounds = der.indexOf(Buffer.from('02020800', 'hex'));
    expect(rounds).toBeGreaterThan(0);
    // The same structure with a four-byte number of rounds: outer lengths grow by two.
    const bomb = Buffer.concat([der.subarray(0, rounds), Buffer.from('02043b9aca00', 'hex'), der.subarray(rounds + 4)]);
    for (const at of lengthsAround(der, rounds)) bomb[at] = (bomb[at] ?? 0) + 2;

    await expect(read(site.pem, bomb, { passphrase: 'öpen' })).rejects.toThrow('too many rounds');
  });
});

/** Where the lengths of the sequences stand that enclose a position. */
function lengthsAround(der: Buffer, position: number): number[] {
  const found: number[] = [];
  let at = 0;
  while (at < position) {
    const first = der[at + 1] ?? 0;
    const size = first < 0x80 ? 1 : 1 + (first & 0x7f);
    const length = first < 0x80 ? first : der.readUIntBE(at + 2, first & 0x7f);
    const end = at + 1 + size + length;
    if (end > position) found.push(at + size);
    at = end > position ? at + 1 + size : end;
  }
  return found;
}

describe('intermediates', () => {
  it('are put in order, each once, without the certificate itself, strangers last', async () => {
    const { intermediates } = await read(site.pem, site.keyPem, {
      intermediates: [other.pem, root.pem, site.pem, middle.pem, root.pem].join(''),
    });

    expect(subjects(intermediates)).toEqual(['CN=Middle', 'CN=Root', 'CN=other.example.org']);
  });

  it('may follow the certificate in its own secret', async () => {
    const { certificate, intermediates } = await read(`${site.pem}${root.pem}${middle.pem}`, site.keyPem);

    expect(certificate).toBe(site.pem);
    expect(subjects(intermediates)).toEqual(['CN=Middle', 'CN=Root']);
  });

  it.each([
    ['no certificate', 'nothing here'],
    ['a broken one', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ])('are refused with %s among them', async (_what, intermediates) => {
    await expect(read(site.pem, site.keyPem, { intermediates })).rejects.toThrow('certificate cannot be read');
  });
});

describe('a PKCS12 bundle', () => {
  it.each([
    ['aes', 'bundle.example.org', ['CN=Bundle CA']],
    ['triple-des', 'ec.example.org', ['CN=Bundle CA']],
    ['python', 'ec.example.org', ['CN=Bundle CA']],
    ['rc2', 'ec.example.org', []],
    ['clear', 'ec.example.org', []],
    ['no-mac', 'ec.example.org', []],
  ])('is read however it is made: %s', async (name, primaryCn, chain) => {
    const material = await readBundle(readBundleFile(name));

    expect(material.primaryCn).toBe(primaryCn);
    expect(subjects(material.intermediates)).toEqual(chain);
    expect(new X509Certificate(material.certificate).subject.toLowerCase()).toContain(primaryCn);
    expect(material.privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  });

  it.each([
    ['pass-phrase', 'Invalid password or PKCS12 data'],
    ['no-key', 'there is no private key in it'],
    ['no-certificate', 'there is no certificate of the private key in it'],
  ])('is refused: %s', async (name, reason) => {
    await expect(readBundle(readBundleFile(name))).rejects.toThrow(reason);
  });

  it('is refused, or read as it was, wherever a byte of it is damaged', async () => {
    const bundle = readBundleFile('triple-des');
    const whole = await readBundle(bundle);
    const outcomes = new Set<unknown>();
    for (let at = 0; at < bundle.length; at += 31) {
      const damaged = Buffer.from(bundle);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      outcomes.add(
        await readBundle(damaged).then(
          ({ fingerprint }) => fingerprint,
          ({ name }) => name,
        ),
      );
    }
    expect(outcomes).toContain('MaterialError');
    expect([...outcomes].filter((it) => it !== 'MaterialError' && it !== whole.fingerprint)).toEqual([]);
  });

  it('is refused wherever it is cut off', async () => {
    const bundle = readBundleFile('triple-des');
    for (let length = 0; length < bundle.length; length += 97) {
      await expect(readBundle(bundle.subarray(0, length))).rejects.toThrow('Invalid password or PKCS12 data');
    }
  });
});

describe('validity', () => {
  const period = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2027-01-01T00:00:00Z') };

  it.each([
    ['2025-12-31T23:59:59Z', 'it is not valid before 2026-01-01T00:00:00.000Z'],
    ['2026-01-01T00:00:00Z', undefined],
    ['2026-12-31T23:59:59Z', undefined],
    ['2027-01-01T00:00:00Z', 'it expired on 2027-01-01T00:00:00.000Z'],
  ])('at %s is judged: %s', (now, judgement) => {
    expect(judgeValidity(period, new Date(now))).toBe(judgement);
  });
});
