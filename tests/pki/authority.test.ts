import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { configFromText } from '../../driver/config/config';
import { fingerprintOf, readFingerprint } from '../../driver/domain/fingerprint';
import { createAuthority, readEngineKey } from '../../driver/pki/authority';
import { authorityFiles, createAuthorityFiles, openAuthority, openOwnAuthority } from '../../driver/pki/files';
import { newAuthority } from '../../driver/pki/newAuthority';

const folder = mkdtempSync(path.join(tmpdir(), 'ss-pki-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NOW = Date.now();
const ofOneHour = { notBefore: NOW - 60_000, notAfter: NOW + 3_600_000 };
const engineKey = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const configured = (lines: string) => openAuthority(configFromText(`[certificates]\n${lines}\n`).certificates);

it('issues certificates for servers with names and addresses, and for engines, each for its purpose alone', async () => {
  const { certificate, key } = await newAuthority('ca', 10, NOW);
  const authority = await createAuthority(certificate, key);

  const hosts = ['192.0.2.7', '2001:db8::7', 'hm.example.org'];
  const server = await authority.issue({ name: 'hm', purpose: 'server', hosts, ...ofOneHour, ...engineKey() });
  const client = await authority.issue({ name: 'engine-1', purpose: 'client', ...ofOneHour, ...engineKey() });

  const [forServer, forClient] = [new X509Certificate(server.pem), new X509Certificate(client.pem)];
  expect(forServer.checkIP('192.0.2.7')).toBe('192.0.2.7');
  expect(forServer.checkIP('2001:db8::7')).toBe('2001:db8::7');
  expect(forServer.checkHost('hm.example.org')).toBe('hm.example.org');
  expect(forServer.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(forClient.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  for (const made of [forServer, forClient]) {
    expect(made.verify(certificate.publicKey) && made.checkIssued(certificate)).toBe(true);
    expect(made.ca).toBe(false);
  }
  expect(client.serial).toBe(forClient.serialNumber);
  expect(client.notAfter).toBe(Math.floor(ofOneHour.notAfter / 1000) * 1000);
  expect(authority.fingerprint).toBe(readFingerprint(certificate.fingerprint256));
});

it('issues nothing that outlives the CA', async () => {
  const { certificate, key } = await newAuthority('ca', 1, NOW);
  const authority = await createAuthority(certificate, key);
  const notAfter = NOW + 30 * 86_400_000;

  const made = await authority.issue({ name: 'e', purpose: 'client', ...ofOneHour, notAfter, ...engineKey() });

  expect(made.notAfter).toBe(Date.parse(certificate.validTo));
});

it('takes keys of engines that are ECDSA P-256, and no others', () => {
  const spki = (key: ReturnType<typeof engineKey>) => key.publicKey.export({ type: 'spki', format: 'der' });

  expect(readEngineKey(spki(engineKey())).asymmetricKeyType).toBe('ec');
  expect(() => readEngineKey(spki(generateKeyPairSync('ec', { namedCurve: 'secp384r1' })))).toThrow('P-256');
  expect(() => readEngineKey(spki(generateKeyPairSync('rsa', { modulusLength: 2048 })))).toThrow('P-256');
});

it('signs with a CA that has an RSA key, as Octavia’s has', async () => {
  const [pem, key] = [path.join(folder, 'rsa.pem'), path.join(folder, 'rsa.key')];
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=octavia'];
  execFileSync('openssl', [...words, '-keyout', key, '-out', pem], { stdio: 'pipe' });
  const authority = await configured(`ca_certificate = ${pem}\nca_private_key = ${key}`);

  const made = await authority?.issue({ name: 'e', purpose: 'client', ...ofOneHour, ...engineKey() });

  const certificate = new X509Certificate(made?.pem ?? '');
  expect(certificate.verify(new X509Certificate(readFileSync(pem)).publicKey)).toBe(true);
});

it('makes the files of a CA once, readable by their owner alone', async () => {
  const directory = path.join(folder, 'made');
  const files = await createAuthorityFiles(directory, { name: 'ca', days: 30, passphrase: 'sesame' });

  expect(statSync(files.key).mode & 0o777).toBe(0o600);
  expect(readFileSync(files.key, 'utf8')).toContain('ENCRYPTED');
  await expect(createAuthorityFiles(directory, { name: 'ca', days: 30 })).rejects.toThrow('EEXIST');
  const paths = `ca_certificate = ${files.certificate}\nca_private_key = ${files.key}\n`;
  const opened = await configured(`${paths}ca_private_key_passphrase = sesame`);
  expect(opened?.fingerprint).toBe(fingerprintOf(new X509Certificate(readFileSync(files.certificate)).raw));
  await expect(configured(`${paths}ca_private_key_passphrase = wrong`)).rejects.toThrow(
    '[certificates] ca_private_key',
  );
});

it('refuses files that are no CA, or not of one another', async () => {
  const [one, other] = [path.join(folder, 'one'), path.join(folder, 'other')].map(authorityFiles);
  await createAuthorityFiles(path.join(folder, 'one'), { name: 'one', days: 1 });
  await createAuthorityFiles(path.join(folder, 'other'), { name: 'other', days: 1 });
  const authority = await openOwnAuthority(path.join(folder, 'one'));
  const leaf = await authority.issue({ name: 'e', purpose: 'client', ...ofOneHour, ...engineKey() });
  const leafFile = path.join(folder, 'leaf.pem');
  writeFileSync(leafFile, leaf.pem);

  const mixed = `ca_certificate = ${one?.certificate}\nca_private_key = ${other?.key}`;
  await expect(configured(mixed)).rejects.toThrow('belongs to another certificate');
  await expect(configured(`ca_certificate = ${leafFile}`)).rejects.toThrow('it is no certificate of a CA');
  await expect(configured('ca_certificate = /nowhere.pem')).rejects.toThrow('[certificates] ca_certificate');
  await expect(configured(`ca_certificate = ${one?.certificate}`)).rejects.toThrow('[certificates] ca_private_key');
  expect(await configured('')).toBeUndefined();
});

it('keeps the CA of an embedded site over its starts, and does not use a key that others may read', async () => {
  const directory = path.join(folder, 'site');

  const first = await openOwnAuthority(directory);
  const second = await openOwnAuthority(directory);

  expect(second.fingerprint).toBe(first.fingerprint);
  const { key } = authorityFiles(directory);
  expect(createPrivateKey(readFileSync(key)).asymmetricKeyType).toBe('ec');
  chmodSync(key, 0o640);
  await expect(openOwnAuthority(directory)).rejects.toThrow('others may read this key');
});
