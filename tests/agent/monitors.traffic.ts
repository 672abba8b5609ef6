import type { MemberSpec, MonitorSpec, PoolSpec } from '../../driver/protocol/spec';
import { type CheckedServer, startChecked } from '../support/agentChecked';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../support/agentSpecs';
import { spread } from '../support/agentTraffic';
import { type Backend, startBackend } from '../support/backend';
import { issue } from '../support/certificates/issue';

const VIP = '127.80.200.13';
const PORT = 20_080;

describe('what a health monitor does', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let plain: CheckedServer;
  let secure: CheckedServer;
  let six: CheckedServer;
  let one: Backend;
  let two: Backend;
  let generation = 0;

  beforeAll(async () => {
    const { pem: cert, keyPem: key } = await issue({ cn: 'checked.example' });
    [controller, plain, secure, six, one, two] = await Promise.all([
      startController(),
      startChecked(),
      startChecked({ tls: { cert, key } }),
      startChecked({ host: '::1' }),
      startBackend('one'),
      startBackend('two'),
    ]);
    engine = createEngine([controller.url]);
    await engine.start();
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), plain.close(), secure.close(), six.close(), one.stop(), two.stop()]);
  });

  const serve = (
    monitor: Partial<MonitorSpec> | null,
    member: Partial<MemberSpec> = {},
    pool: Partial<PoolSpec> = {},
  ) => {
    generation += 1;
    // A monitor of its own each time, and so a reload: no check of before is left.
    const made = monitor === null ? null : aMonitor({ id: `monitor-${generation}`, ...monitor });
    const members = [aMember({ port: plain.port, ...member })];
    const pools = [aPool({ members, monitor: made, ...pool })];
    return controller.put(aSpec({ generation, vips: [VIP], listeners: [aListener({ port: PORT })], pools }));
  };
  const state = () =>
    controller.report('lb-1')?.generation === generation
      ? controller.report('lb-1')?.pools['pool-1']?.members['member-1']
      : undefined;
  const becomes = (wanted: string) => controller.waitFor(`the member is ${wanted}`, () => state() === wanted);
  /** The next request that a check makes. */
  const nextCheck = async (server: CheckedServer) => {
    const before = server.requests.length;
    await controller.waitFor('a check comes', () => server.requests.length > before);
    return server.requests.at(-1) ?? '';
  };

  it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE', 'OPTIONS', 'PATCH', 'CONNECT'])(
    'asks by %s for its path',
    async (httpMethod) => {
      plain.answer(200);
      expect(await serve({ httpMethod, urlPath: '/a/b?c=d' })).toMatchObject({ refusals: [] });
      expect(await nextCheck(plain)).toMatch(new RegExp(`^${httpMethod} /a/b\\?c=d HTTP/1\\.0`));
      await becomes('UP');
    },
  );

  it('speaks HTTP/1.1 with the domain name as host when told to, and 1.0 without a host otherwise', async () => {
    await serve({ httpVersion: 1.1, domainName: 'www.example.org' });
    expect(await nextCheck(plain)).toMatch(/^GET \/ HTTP\/1\.1\r\nhost: www\.example\.org$/im);
    await serve({ httpVersion: 1.1 });
    expect(await nextCheck(plain)).toMatch(/^GET \/ HTTP\/1\.1\r\nhost: /im);
    await serve({ httpVersion: 1 });
    expect(await nextCheck(plain)).toMatch(/^GET \/ HTTP\/1\.0$/);
  });

  it.each([
    ['200', 200, 'UP'],
    ['200', 204, 'DOWN'],
    ['200,301', 301, 'UP'],
    ['200,301', 302, 'DOWN'],
    ['200-299', 204, 'UP'],
    ['200-299', 300, 'DOWN'],
    ['401', 401, 'UP'],
  ])('with expected codes %s takes an answer %d for %s', async (expectedCodes, status, wanted) => {
    plain.answer(status);
    await serve({ expectedCodes });
    // A reload passes on who was up before.
    await nextCheck(plain);
    await nextCheck(plain);
    await becomes(wanted);
    plain.answer(200);
  });

  it('asks over TLS, and takes its codes from there', async () => {
    await serve(
      { type: 'HTTPS', urlPath: '/secure', httpVersion: 1.1, domainName: 'www.example.org' },
      { port: secure.port },
    );
    expect(await nextCheck(secure)).toMatch(/^GET \/secure HTTP\/1\.1\r\nhost: www\.example\.org$/im);
    await becomes('UP');
    secure.answer(500);
    await becomes('DOWN');
    secure.answer(200);
    await becomes('UP');
  });

  it('connects and no more as TCP', async () => {
    plain.answer(500);
    const before = plain.requests.length;
    await serve({ type: 'TCP' });
    await becomes('UP');
    await serve({ type: 'TCP' }, { port: 1 });
    await becomes('DOWN');
    expect(plain.requests).toHaveLength(before);
    plain.answer(200);
  });

  it.each<[string, Partial<MonitorSpec>, Partial<MemberSpec>]>([
    ['PING', { type: 'PING' }, {}],
    ['PING over IPv6', { type: 'PING' }, { monitorAddress: '::1' }],
  ])('pings with the real command (%s)', async (_name, monitor, member) => {
    await serve(monitor, member);
    await becomes('UP');
    // Reserved, and answered by nobody.
    await serve(monitor, { ...member, monitorAddress: '240.0.0.1' });
    await becomes('DOWN');
  });

  it('takes members down and up after as many results in a row as it is told', async () => {
    plain.answer(200);
    await serve({ riseThreshold: 3, fallThreshold: 2 });
    await becomes('UP');
    const down = plain.requests.length;
    plain.answer(500);
    await becomes('DOWN');
    // One check may have been under way when the answer changed, and one may follow before the report.
    expect(plain.requests.length - down).toBeGreaterThanOrEqual(2);
    expect(plain.requests.length - down).toBeLessThanOrEqual(4);

    const up = plain.requests.length;
    plain.answer(200);
    await becomes('UP');
    expect(plain.requests.length - up).toBeGreaterThanOrEqual(3);
    expect(plain.requests.length - up).toBeLessThanOrEqual(5);
  });

  it('takes an answer after its time-out for none', async () => {
    plain.answer(200, 1500);
    await serve({ timeout: 1, delay: 2 });
    await becomes('DOWN');
    await serve({ timeout: 3, delay: 4 });
    await becomes('UP');
    plain.answer(200);
  });

  it('waits its delay between two checks', async () => {
    await serve({ delay: 2 });
    await becomes('UP');
    await nextCheck(plain);
    const started = Date.now();
    await nextCheck(plain);
    expect(Date.now() - started).toBeGreaterThan(1500);
    expect(Date.now() - started).toBeLessThan(3500);
  });

  it('asks at the monitor address and port of a member, over IPv6 too', async () => {
    await serve({ urlPath: '/six' }, { port: one.port, monitorAddress: '::1', monitorPort: six.port });
    expect(await nextCheck(six)).toMatch(/^GET \/six /);
    await becomes('UP');
    six.answer(500);
    await becomes('DOWN');
    six.answer(200);
    await serve({ urlPath: '/port' }, { port: one.port, monitorPort: plain.port });
    expect(await nextCheck(plain)).toMatch(/^GET \/port /);
  });

  it('marks nobody down once it is gone', async () => {
    plain.answer(500);
    await serve({});
    await becomes('DOWN');
    await serve(null);
    await becomes('NO_CHECK');
    plain.answer(200);
  });

  it('leaves the traffic to backup members when the others are down, and takes it back', async () => {
    const members = [
      aMember({ id: 'one', port: one.port, monitorPort: plain.port }),
      aMember({ id: 'two', port: two.port, backup: true }),
    ];
    plain.answer(200);
    await serve({ urlPath: '/health' }, {}, { members });
    const states = () => controller.report('lb-1')?.pools['pool-1']?.members;
    await controller.waitFor('both are up', () => states()?.['one'] === 'UP' && states()?.['two'] === 'UP');
    expect(await spread(VIP, PORT, 4)).toEqual({ one: 4 });
    plain.answer(500);
    await controller.waitFor('the first is down', () => states()?.['one'] === 'DOWN');
    expect(await spread(VIP, PORT, 4)).toEqual({ two: 4 });
    plain.answer(200);
    await controller.waitFor('the first is up', () => states()?.['one'] === 'UP');
    expect(await spread(VIP, PORT, 4)).toEqual({ one: 4 });
  });

  it('spreads by weight', async () => {
    const members = [
      aMember({ id: 'one', port: one.port, weight: 3 }),
      aMember({ id: 'two', port: two.port, weight: 1 }),
    ];
    await serve(null, {}, { members });
    expect(await spread(VIP, PORT, 16)).toEqual({ one: 12, two: 4 });
  });
});
