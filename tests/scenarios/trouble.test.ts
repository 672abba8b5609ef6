import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { type ApiClient, logIn } from '../support/apiClient';
import { type Backend, startBackend } from '../support/backend';
import { descendantsOf } from '../support/processes';
import { type Site, startSite } from '../support/site';
import { waitUntil } from '../support/wait';

interface Created {
  id: string;
  vip_address: string;
  provisioning_status: string;
  listeners: { id: string }[];
}

/** What may go wrong on an embedded site, and that it mends itself. */
describe('trouble on the embedded site', () => {
  let site: Site;
  let client: ApiClient;
  let backend: Backend;

  beforeAll(async () => {
    [site, backend] = await Promise.all([startSite({ vipCidr: '127.83.0.0/24' }), startBackend('b')]);
    client = await logIn(site);
  }, 90_000);

  afterAll(async () => {
    await backend.stop();
    await site.dispose();
  }, 60_000);

  const createServing = async (port: number, name = 'lb'): Promise<Created> => {
    const created = await client.create<Created>('/loadbalancers', 'loadbalancer', {
      name,
      vip_subnet_id: client.subnetId,
      listeners: [
        {
          protocol: 'HTTP',
          protocol_port: port,
          default_pool: {
            name: 'p',
            protocol: 'HTTP',
            lb_algorithm: 'ROUND_ROBIN',
            members: [{ address: backend.address, protocol_port: backend.port }],
          },
        },
      ],
    });
    expect(await client.settled(created.id)).toBe('ACTIVE');
    return created;
  };
  const serves = async (lb: Created, port: number): Promise<boolean> => {
    const answer = await fetch(`http://${lb.vip_address}:${port}/`).catch(() => undefined);
    return answer?.status === 200 && (await answer.text()) === 'b\n';
  };

  it('puts a listener whose port is taken in ERROR, says why, serves the rest and heals by itself', async () => {
    const lb = await createServing(8080, 'taken');
    const squatter = await listenOn(lb.vip_address, 8081);
    const listener = await client.create<{ id: string }>('/listeners', 'listener', {
      name: 'second',
      loadbalancer_id: lb.id,
      protocol: 'HTTP',
      protocol_port: 8081,
    });
    expect(await client.settled(lb.id)).toBe('ACTIVE');
    expect((await client.show(`/listeners/${listener.id}`, 'listener'))['provisioning_status']).toBe('ERROR');
    expect(await serves(lb, 8080)).toBe(true);
    expect(site.output()).toMatch(/OBJECT_REFUSED.*port 8081 .* already taken/);

    await new Promise((resolve) => squatter.close(resolve));
    await waitUntil('the listener has healed', 30_000, async () => {
      return (await client.show(`/listeners/${listener.id}`, 'listener'))['provisioning_status'] === 'ACTIVE';
    });
    expect((await fetch(`http://${lb.vip_address}:8081/`)).status).toBe(503);
  }, 60_000);

  it('has a killed haproxy back within a second', async () => {
    const lb = await createServing(8080, 'killed');
    await waitUntil('it serves', 10_000, () => serves(lb, 8080));
    const haproxies = processesOf(site, lb);
    expect(haproxies.length).toBeGreaterThan(0);
    for (const pid of haproxies) process.kill(pid, 'SIGKILL');
    const from = Date.now();
    await waitUntil('it serves again', 5_000, () => serves(lb, 8080));
    expect(Date.now() - from).toBeLessThan(2_500);
  }, 30_000);

  it('keeps serving while the agent is killed, and has it back', async () => {
    const lb = await createServing(8080, 'agentless');
    await waitUntil('it serves', 10_000, () => serves(lb, 8080));
    const before = agentOf(site);
    process.kill(before, 'SIGKILL');
    for (let i = 0; i < 20; i += 1) expect(await serves(lb, 8080)).toBe(true);
    await waitUntil('there is a new agent', 5_000, () => agentOf(site, before) !== 0);
    const listener = lb.listeners[0]?.id;
    const answer = await client.request('PUT', `/listeners/${listener}`, { listener: { connection_limit: 77 } });
    expect(answer.status).toBe(200);
    expect(await client.settled(lb.id)).toBe('ACTIVE');
    expect(await serves(lb, 8080)).toBe(true);
  }, 60_000);

  it('keeps serving while the controller is killed, and adopts what runs', async () => {
    const lb = await createServing(8080, 'headless');
    await waitUntil('it serves', 10_000, () => serves(lb, 8080));
    const before = processesOf(site, lb);
    await site.kill();
    for (let i = 0; i < 20; i += 1) expect(await serves(lb, 8080)).toBe(true);
    await site.start();
    client = await logIn(site);
    expect(processesOf(site, lb)).toEqual(before);
    expect(await serves(lb, 8080)).toBe(true);
    const answer = await client.request('DELETE', `/loadbalancers/${lb.id}?cascade=true`);
    expect(answer.status).toBe(204);
    await waitUntil(
      'it is gone',
      20_000,
      async () => (await client.request('GET', `/loadbalancers/${lb.id}`)).status === 404,
    );
    expect(await serves(lb, 8080)).toBe(false);
  }, 90_000);

  it('refuses rubbish and changes nothing', async () => {
    const before = await client.request('GET', '/loadbalancers');
    const post = (body: unknown): Promise<{ status: number; body: { faultstring: string } }> =>
      client.request('POST', '/loadbalancers', body);
    expect(await post({ loadbalancer: { vip_subnet_id: client.subnetId, colour: 'red' } })).toMatchObject({
      status: 400,
      body: { faultcode: 'Client', faultstring: 'Unknown attribute for argument load_balancer.loadbalancer: colour' },
    });
    expect((await post({ loadbalancer: { vip_subnet_id: 7 } })).status).toBe(400);
    expect((await post({ loadbalancer: { vip_subnet_id: client.subnetId, name: 'x'.repeat(120_000) } })).status).toBe(
      413,
    );
    expect((await client.request('GET', '/loadbalancers/7d9bfc0e-1111-4111-8111-000000000000')).status).toBe(404);
    expect((await client.request('GET', '/loadbalancers')).body).toEqual(before.body);
  });

  it('shows a foreign project nothing and lets a reader change nothing', async () => {
    const lb = await createServing(8080, 'private');
    const [member, reader] = await Promise.all([logIn(site, 'slipstream-member'), logIn(site, 'slipstream-reader')]);
    expect((await member.request('GET', `/loadbalancers/${lb.id}`)).status).toBe(403);
    expect((await member.request('GET', '/loadbalancers')).body.loadbalancers).toEqual([]);
    const refused = await reader.request('POST', '/loadbalancers', {
      loadbalancer: { vip_subnet_id: client.subnetId },
    });
    expect(refused).toMatchObject({
      status: 403,
      body: { faultstring: 'Policy does not allow this request to be performed.' },
    });
  }, 30_000);
});

function listenOn(address: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(port, address, () => resolve(server));
  });
}

/** The haproxy processes that serve this load balancer, found by the state directory on their command line. */
function processesOf(site: Site, lb: Created): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return lines
    .filter((line) => line.includes('haproxy') && line.includes(site.stateDir) && line.includes(lb.id))
    .map((line) => Number.parseInt(line, 10));
}

/** The pid of the site's agent, other than `than`; 0 while there is none. */
function agentOf(site: Site, than = 0): number {
  const found = descendantsOf(site.pid).find((pid) => pid !== than && commandOf(pid).includes('agent'));
  return found ?? 0;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
