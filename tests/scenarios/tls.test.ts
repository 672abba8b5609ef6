import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { converse, lookAt, openTls } from '../support/agentTls';
import { type ApiClient, logIn } from '../support/apiClient';
import { type Backend, startBackend } from '../support/backend';
import { type Issued, issue, readBundleFile } from '../support/certificates/issue';
import { type Site, startSite } from '../support/site';
import { waitUntil } from '../support/wait';

const PORT = 8443;

/** From a secret in the embedded Barbican to a handshake at the VIP; the steps build on each other. */
describe('a user terminates TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'slipstream-tls-'));
  let site: Site;
  let api: ApiClient;
  let web: Backend;
  let authority: Issued;
  let first: Issued;
  let vip = '';
  let loadBalancer = '';
  let listener = '';
  let created: Issued[] = [];

  beforeAll(async () => {
    [site, web, authority] = await Promise.all([
      startSite({ vipCidr: '127.81.7.0/24' }),
      startBackend('web'),
      issue({ cn: 'authority', isCa: true }),
    ]);
    writeFileSync(join(directory, 'ca.pem'), authority.pem);
    api = await logIn(site);
    const made = await api.create('/loadbalancers', 'loadbalancer', { name: 'tls', vip_subnet_id: api.subnetId });
    [loadBalancer, vip] = [made['id'] ?? '', made['vip_address'] ?? ''];
    expect(await api.settled(loadBalancer)).toBe('ACTIVE');
  }, 90_000);
  afterAll(async () => {
    await web.stop();
    await site.dispose();
    rmSync(directory, { recursive: true });
  }, 60_000);

  async function post(path: string, body: object): Promise<Record<string, string>> {
    const answer = await fetch(`${api.endpoint('key-manager')}/v1/${path}`, {
      method: 'POST',
      headers: { 'x-auth-token': api.token, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(201);
    return (await answer.json()) as Record<string, string>;
  }
  async function keep(text: string): Promise<string> {
    const { secret_ref } = await post('secrets', { payload: text, payload_content_type: 'text/plain' });
    return secret_ref ?? '';
  }
  async function contain(issued: Issued): Promise<string> {
    const secret_refs = [
      { name: 'certificate', secret_ref: await keep(issued.pem) },
      { name: 'private_key', secret_ref: await keep(issued.keyPem) },
    ];
    created = [...created, issued];
    return (await post('containers', { type: 'certificate', secret_refs }))['container_ref'] ?? '';
  }
  const aCertificate = (cn: string) => issue({ cn, dnsNames: [cn], issuer: authority });
  const change = async (fields: object) => {
    const answer = await api.request('PUT', `/listeners/${listener}`, { listener: fields });
    expect(answer).toMatchObject({ status: 200 });
    expect(await api.settled(loadBalancer)).toBe('ACTIVE');
  };
  const curl = (name: string): Promise<string> => {
    const resolve = `${name}:${PORT}:${vip}`;
    const args = ['-s', '--cacert', join(directory, 'ca.pem'), '--resolve', resolve, `https://${name}:${PORT}/`];
    return new Promise((done, reject) => {
      execFile('curl', [...args, '-w', '%{http_code} %{http_version}'], (error, stdout) =>
        error ? reject(error) : done(stdout),
      );
    });
  };

  const statusOfListener = async () => {
    const again = await logIn(site);
    let seen: Record<string, string> = {};
    await waitUntil('the listener is online', 10_000, async () => {
      seen = await again.show(`/listeners/${listener}`, 'listener');
      return seen['operating_status'] === 'ONLINE';
    });
    const { provisioning_status, operating_status } = seen;
    return { provisioning_status, operating_status };
  };

  it('with a container, and curl trusts what it sees, over HTTP/2', async () => {
    first = await aCertificate('www.example.org');
    const made = await api.create('/listeners', 'listener', {
      loadbalancer_id: loadBalancer,
      protocol: 'TERMINATED_HTTPS',
      protocol_port: PORT,
      default_tls_container_ref: await contain(first),
    });
    listener = made['id'] ?? '';
    expect(await api.settled(loadBalancer)).toBe('ACTIVE');
    const pool = { listener_id: listener, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' };
    const { id } = await api.create('/pools', 'pool', pool);
    expect(await api.settled(loadBalancer)).toBe('ACTIVE');
    await api.create(`/pools/${id}/members`, 'member', { address: web.address, protocol_port: web.port });
    expect(await api.settled(loadBalancer)).toBe('ACTIVE');

    expect(await curl('www.example.org')).toBe('web\n200 2');
    await expect(curl('other.example.org')).rejects.toThrow();
  });

  it('adds and takes away certificates for other names while a connection stays open', async () => {
    const socket = await openTls(vip, PORT, { servername: 'www.example.org' });
    const before = workerOf(site);
    await change({ sni_container_refs: [await contain(await aCertificate('other.example.org'))] });
    expect(await curl('other.example.org')).toBe('web\n200 2');

    await change({ default_tls_container_ref: await contain(await aCertificate('new.example.org')) });
    expect(await curl('new.example.org')).toBe('web\n200 2');
    expect(await converse(socket, 'keep-alive')).toMatch(/200 OK.*web\n$/s);

    await change({ sni_container_refs: [] });
    expect(await lookAt(vip, PORT, { servername: 'other.example.org' })).toMatchObject({ cn: 'new.example.org' });
    expect(await converse(socket, 'close')).toMatch(/200 OK.*web\n$/s);
    expect(workerOf(site)).toBe(before);
  });

  it('and sees in the key manager what uses which certificate', async () => {
    const usesOf = async (): Promise<string[]> => {
      const headers = { 'x-auth-token': api.token };
      const answer = await fetch(`${api.endpoint('key-manager')}/v1/containers`, { headers });
      const { containers } = (await answer.json()) as { containers: { consumers: { name: string; URL: string }[] }[] };
      return containers.map(({ consumers }) => consumers.map(({ name, URL: url }) => `${name} ${url}`).join()).sort();
    };

    // Of the three, the last default alone is in use.
    const expected = ['', '', `Octavia /v2/lbaas/listeners/${listener}`];
    await waitUntil('the key manager has heard', 10_000, async () => `${await usesOf()}` === `${expected}`);
  });

  it('with a PKCS12 bundle in one secret', async () => {
    const payload = readBundleFile('triple-des').toString('base64');
    const { secret_ref } = await post('secrets', {
      payload,
      payload_content_type: 'application/octet-stream',
      payload_content_encoding: 'base64',
    });
    const { cn } = await lookAt(vip, PORT);
    await change({ default_tls_container_ref: secret_ref });

    expect((await lookAt(vip, PORT)).cn).not.toBe(cn);
  });

  it('and has it again after the site was stopped, which takes the keys out of memory', async () => {
    const { cn } = await lookAt(vip, PORT);
    expect(await site.stop()).toBe(0);
    await expect(lookAt(vip, PORT)).rejects.toThrow();

    await site.start();
    await waitUntil('it is served again', 20_000, async () => (await lookAt(vip, PORT).catch(() => null))?.cn === cn);
    expect(await statusOfListener()).toEqual({ provisioning_status: 'ACTIVE', operating_status: 'ONLINE' });
  }, 60_000);

  it('and serves on after the engine was killed, with the keys on no disk and in no log', async () => {
    const { cn } = await lookAt(vip, PORT);
    await site.kill();
    expect((await lookAt(vip, PORT)).cn).toBe(cn);
    await site.start();
    await waitUntil('it is served again', 20_000, async () => (await lookAt(vip, PORT).catch(() => null))?.cn === cn);

    const files = readdirSync(site.stateDir, { recursive: true, withFileTypes: true }).filter((it) => it.isFile());
    const texts = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'));
    // What engine and controller prove themselves with is theirs, and nobody else's to read.
    const withKeys = files.filter((_file, index) => texts[index]?.includes('PRIVATE KEY'));
    expect(withKeys.map(({ name }) => name).sort()).toEqual(['ca.key', 'credentials.json']);
    for (const { parentPath, name } of withKeys) expect(statSync(join(parentPath, name)).mode & 0o077).toBe(0);
    for (const { keyPem } of created) {
      const line = keyPem.split('\n')[1] ?? '';
      expect(texts.filter((text) => text.includes(line))).toEqual([]);
    }
  }, 60_000);
});

/** The haproxy worker that serves now: a reload makes another. */
function workerOf(site: Site): string {
  const files = readdirSync(site.stateDir, { recursive: true, withFileTypes: true });
  const record = files.find(({ name }) => name === 'process.json');
  const { worker } = JSON.parse(readFileSync(join(record?.parentPath ?? '', 'process.json'), 'utf8'));
  return `${worker.pid} ${worker.startTime}`;
}
