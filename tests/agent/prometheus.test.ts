import { get } from 'node:http';
import type { ListenerSpec } from '../../driver/protocol/spec';
import { type FakeController, startController } from '../support/agentController';
import { startCounting } from '../support/agentCounting';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPool, aSpec } from '../support/agentSpecs';
import { statusOf } from '../support/agentTraffic';
import { type Backend, startBackend } from '../support/backend';
import { waitUntil } from '../support/wait';

const VIP = '127.80.200.12';
const PORT = 20_080;
const METRICS = 20_088;

describe('a PROMETHEUS listener', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let one: Backend;
  let two: Backend;
  let generation = 0;

  beforeAll(async () => {
    [controller, one, two] = await Promise.all([startController(), startBackend('one'), startBackend('two')]);
    engine = createEngine([controller.url]);
    await engine.start();
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), one.stop(), two.stop()]);
  });

  const members = () =>
    [one, two].map((backend) => aMember({ id: `member-${backend.name}`, address: '127.0.0.1', port: backend.port }));
  const prometheus = (over: Partial<ListenerSpec> = {}) =>
    aListener({ id: 'listener-metrics', protocol: 'PROMETHEUS', port: METRICS, defaultPoolId: null, ...over });
  const serve = (listeners: ListenerSpec[], names = ['member-one', 'member-two']) => {
    generation += 1;
    const pools = [aPool({ members: members().filter(({ id }) => names.includes(id)) })];
    return controller.put(aSpec({ generation, vips: [VIP], listeners, pools }));
  };
  const sample = async (name: string) => {
    const { body } = await scrape('/metrics');
    const line = body.split('\n').find((text) => text.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length));
  };

  it('tells what clients count, over reloads and member changes, of listeners, pools and members', async () => {
    const serveAll = (timeoutClientData: number, names?: string[]) =>
      serve([aListener({ port: PORT, timeoutClientData }), prometheus()], names);
    expect(await serveAll(40_000)).toMatchObject({ outcome: 'applied', refusals: [] });
    const load = startCounting({ host: VIP, port: PORT, pause: 2 });
    for (let round = 1; round <= 3; round += 1) {
      await serveAll(40_000 + round);
      await serveAll(40_000 + round, ['member-two']);
      await serveAll(40_000 + round);
    }
    const counted = await load.stop();
    expect(counted.failures).toEqual([]);

    expect(await sample('octavia_listener_sessions_total{listener="listener-1"}')).toBe(counted.connections);
    expect(await sample('octavia_listener_bytes_in_total{listener="listener-1"}')).toBe(counted.bytesIn);
    expect(await sample('octavia_listener_bytes_out_total{listener="listener-1"}')).toBe(counted.bytesOut);
    expect(await sample('octavia_listener_current_sessions{listener="listener-1"}')).toBe(0);
    const requests = await sample('octavia_listener_http_requests_total{listener="listener-1"}');
    const served = await Promise.all(
      ['one', 'two'].map((name) => sample(`octavia_member_sessions_total{pool="pool-1",member="member-${name}"}`)),
    );
    expect(served).toEqual([one.served(), two.served()]);
    expect(requests).toBe(one.served() + two.served());
    expect(await sample('octavia_pool_http_responses_total{pool="pool-1",code="2xx"}')).toBe(requests);
  });

  it('tells status, weights and the load of the engine, in the format Prometheus reads', async () => {
    const { body, type } = await scrape('/metrics');
    expect(type).toBe('text/plain; version=0.0.4');
    expect(body).toContain('octavia_listener_status{listener="listener-1",state="UP"} 1\n');
    expect(body).toContain('octavia_member_weight{pool="pool-1",member="member-one"} 1\n');
    expect(body).toMatch(
      /\n# TYPE octavia_loadbalancer_connections_total counter\noctavia_loadbalancer_connections_total \d+\n/,
    );
    expect(body).toMatch(
      /^# HELP octavia_loadbalancer_cpu .+\n# TYPE octavia_loadbalancer_cpu gauge\noctavia_loadbalancer_cpu \d/,
    );
    const wrong = body
      .split('\n')
      .filter((text) => !/^(|#.*|octavia_\w+(\{(\w+="[\w-]*",?)+\})? -?[\d.e-]+)$/.test(text));
    expect(wrong).toEqual([]);
    const names = body.split('\n').flatMap((text) => /^# TYPE (\S+)/.exec(text)?.[1] ?? []);
    expect(new Set(names).size).toBe(names.length);
  });

  it('answers nothing but GET /metrics', async () => {
    expect((await scrape('/')).status).toBe(404);
    expect((await scrape('/metrics', 'POST')).status).toBe(405);
  });

  it('is enough for a load balancer to be served, and lets in only whom the allowed CIDRs name', async () => {
    expect(await serve([prometheus()])).toMatchObject({ outcome: 'applied', refusals: [] });
    expect((await scrape('/metrics')).status).toBe(200);
    await serve([prometheus({ allowedCidrs: ['10.0.0.0/8'] })]);
    expect(await statusOf(VIP, METRICS)).toBe(0);
    await serve([prometheus({ allowedCidrs: ['127.0.0.0/8'] })]);
    expect((await scrape('/metrics')).status).toBe(200);
  });

  it('answers 503 while the agent is away, and 200 when it is back', async () => {
    await engine.stop({ keepServing: true });
    expect((await scrape('/metrics')).status).toBe(503);
    await engine.start();
    let status = 0;
    const look = () => void scrape('/metrics').then((answer) => (status = answer.status));
    await waitUntil('metrics are back', 5000, () => {
      look();
      return status === 200;
    });
  });
});

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: string;
}

function scrape(path: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = get({ host: VIP, port: METRICS, path, method, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'], body }),
      );
    });
    sent.once('error', reject);
  });
}
