import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { type OpenedCertificates, openCertificates } from '../../driver/cli/certificates';
import { createBarbicanFace } from '../../driver/clouds/certificates/face';
import { openEmbeddedCertificates } from '../../driver/clouds/certificates/memory';
import { createKeystoneValidator } from '../../driver/clouds/keystone/http';
import { createMemoryStore } from '../../driver/clouds/network/store';
import { type Config, configFromText } from '../../driver/config/config';
import type { Identity } from '../../driver/domain/identity';
import { readBundleFile } from '../support/certificates/issue';
import { listen } from '../support/simulators/barbican';
import { issueToken, PASSWORDS } from '../support/simulators/keystone';
import { type KeystoneSite, startKeystone } from '../support/simulators/keystoneSite';

const log = pino({ level: 'silent' });
let keystone: KeystoneSite;
let member: { token: string; identity: Identity };
let ref: string;
let closing: (() => Promise<unknown>)[];

/** A Keystone and a Barbican over HTTP, in which a member keeps a bundle. */
beforeEach(async () => {
  closing = [];
  keystone = await startKeystone();
  closing.push(() => keystone.stop());
  const identify = async (token: string) => (await keystone.keystone.validate(token))?.identity as Identity;
  const token = issueToken(keystone.keystone, 'member', 'demo');
  member = { token, identity: await identify(token) };
  const { barbican } = await openEmbeddedCertificates({
    store: createMemoryStore(),
    key: Buffer.alloc(32, 1),
    service: await identify(issueToken(keystone.keystone, 'slipstream', 'service')),
  });
  const { id } = await barbican.createSecret(member.identity, {
    ...{ name: null, secretType: 'opaque', algorithm: null, bitLength: null, mode: null, expiration: null },
    payload: { content: readBundleFile('clear'), contentType: 'application/octet-stream' },
  });
  const face = createBarbicanFace({ barbican, validator: keystone.keystone, authUri: () => keystone.url, log });
  const server = await listen(face);
  closing.push(() => server.close());
  keystone.services = [{ type: 'key-manager', name: 'barbican', url: server.url }];
  ref = `${server.url}/v1/secrets/${id}`;
});
afterEach(async () => {
  for (const close of closing.toReversed()) await close();
});

const SERVICE_USER = `username = slipstream\npassword = ${PASSWORDS.service}\nproject_name = service`;

function open(text: string, config: Config = configFromText(text)): OpenedCertificates | undefined {
  const validator = createKeystoneValidator(config.keystone_authtoken, { log });
  closing.push(() => validator.close());
  const opened = openCertificates(config, validator, log);
  if (opened) closing.push(() => opened.close());
  return opened;
}

it.each([
  ['those it checks tokens with', (url: string) => `[keystone_authtoken]\nauth_url = ${url}\n${SERVICE_USER}\n`],
  [
    'those of [service_auth]',
    (url: string) =>
      `[keystone_authtoken]\nauth_url = ${url}\nusername = x\npassword = x\nproject_name = x\n[service_auth]\n${SERVICE_USER}\n`,
  ],
])('finds Barbican in the catalogue and comes with its own credentials: %s', async (_which, configOf) => {
  const certificates = open(configOf(keystone.url))?.certificates;

  await certificates?.checkReferences({ certificates: [ref], ca: null, crl: null }, member);

  expect((await certificates?.fetchMaterial(ref, 'service'))?.primaryCn).toBe('ec.example.org');
});

it('tells a key manager that is not in the catalogue from a certificate that is not there', async () => {
  const text = `[keystone_authtoken]\nauth_url = ${keystone.url}\n${SERVICE_USER}\n`;
  keystone.services = [];

  const check = open(text)?.certificates.checkReferences({ certificates: [ref], ca: null, crl: null }, member);

  await expect(check).rejects.toMatchObject({ name: 'UnavailableError', status: 503 });
});

it('asks the address it is told, whatever the catalogue says', async () => {
  const url = new URL(ref).origin;
  keystone.services = [];
  const text = `[keystone_authtoken]\nauth_url = ${keystone.url}\n${SERVICE_USER}\n[certificates]\nendpoint = ${url}\n`;

  await open(text)?.certificates.checkReferences({ certificates: [ref], ca: null, crl: null }, member);
});

it('asks nobody without a Keystone, and with noop_cert_manager', () => {
  const text = `[keystone_authtoken]\nauth_url = ${keystone.url}\n${SERVICE_USER}\n`;

  expect(openCertificates(configFromText(text), undefined, log)).toBeUndefined();
  expect(open(`${text}[certificates]\ncert_manager = noop_cert_manager\n`)).toBeUndefined();
});

it('does not start with a file of authorities that cannot be read', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ca-'));
  closing.push(() => rm(directory, { recursive: true }));
  const file = join(directory, 'ca.pem');
  const text = `[keystone_authtoken]\nauth_url = ${keystone.url}\n${SERVICE_USER}\n[certificates]\nca_certificates_file = ${file}\n`;

  expect(() => open(text)).toThrow('ca_certificates_file');
  await writeFile(file, '');
  expect(open(text)).toBeDefined();
});
