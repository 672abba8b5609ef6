import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { createContrailDriver } from '../../../driver/clouds/contrail/http';
import type { ContrailDriver } from '../../../driver/clouds/contrail/port';
import { openVncService, type VncService } from '../../../driver/clouds/contrail/service';
import { createVnc } from '../../../driver/clouds/contrail/vnc';
import { PassedThroughError, UnavailableError } from '../../../driver/domain/errors';
import { type ContrailSimulator, FIXED_TOKENS, startContrailSimulator } from '../../support/simulators/contrail';

const log = pino({ level: 'silent' });
const PROJECT = { id: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb', name: 'service' };
const FQ = ['default-domain', 'service'];
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function simulate(options: Parameters<typeof startContrailSimulator>[0] = {}): Promise<ContrailSimulator> {
  const contrail = await startContrailSimulator({ settle: 10, ...options });
  contrail.addProject(PROJECT, { atOnce: true });
  closers.push(() => contrail.close());
  return contrail;
}

function open(servers: readonly string[], token?: (refused?: string) => Promise<string>): VncService {
  const service = openVncService({ servers, log, timeout: 3_000, ...(token && { session: { token } }) });
  closers.push(() => service.close());
  return service;
}

const driverOf = (service: VncService): ContrailDriver => createContrailDriver({ service, role: 'admin' });

/** Answers every request in this way, over a raw connection. */
async function serve(answer: string): Promise<string> {
  const server: Server = createServer((request, response) => {
    request.resume();
    response.socket?.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const aCheck = { monitor: 'PING', interval: 300, timeout: 300, retries: 3 } as const;
const aService = (id: string) => ({
  ...{ id, name: 'bgp', project: FQ, localAs: 65_100, holdTime: 9, md5Secret: null, bfd: null, ownerId: 'group' },
});
const [ONE, OTHER] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];

describe('the client of Contrail', () => {
  it('asks the next server when one is down, and stays there', async () => {
    const contrail = await simulate();
    const gone = await simulate();
    const dead = gone.url;
    await closers.pop()?.();
    const driver = driverOf(open([dead, contrail.url]));
    expect((await driver.bgpGlobals()).autonomousSystem).toBe(64_512);
    const vnc = createVnc(open([dead, contrail.url]), 'admin');
    for (let call = 0; call < 8; call += 1) await vnc.list('virtual-network', 'all', { fields: ['display_name'] });
    expect(contrail.requests.length).toBeGreaterThanOrEqual(9);
  });

  it('gets another token once when its own is refused', async () => {
    const contrail = await simulate({ auth: 'rbac' });
    const asked: (string | undefined)[] = [];
    const driver = driverOf(
      open([contrail.url], async (refused) => {
        asked.push(refused);
        return refused === undefined ? 'stale' : FIXED_TOKENS.admin;
      }),
    );
    expect((await driver.bgpGlobals()).fourByteAs).toBe(false);
    expect(asked).toEqual([undefined, 'stale']);
  });

  it.each(['rbac', 'cloud-admin'] as const)('names the role that is lacking, in mode %s', async (auth) => {
    const contrail = await simulate({ auth });
    const driver = driverOf(open([contrail.url], async () => FIXED_TOKENS.demo));
    const failure = await driver.bgpGlobals().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PassedThroughError);
    expect(failure).toMatchObject({ status: 403, message: expect.stringContaining('"admin"') });
  });

  it('takes a refusal that breaks off before its text for the refusal it is', async () => {
    const url = await serve('HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 21\r\n\r\n');
    await expect(driverOf(open([url])).bgpGlobals()).rejects.toMatchObject({ status: 403 });
  });

  it('says in Contrail’s words what is refused', async () => {
    const contrail = await simulate();
    const call = driverOf(open([contrail.url])).ensureBgpService({ ...aService(ONE), localAs: 4_200_000_000 });
    await expect(call).rejects.toMatchObject({ status: 400, message: expect.stringContaining('ASN out of range') });
  });

  it('takes over what is there under the name it chose, and its own call that seemed lost', async () => {
    const contrail = await simulate();
    const driver = driverOf(open([contrail.url]));
    expect(await driver.ensureBgpService(aService(ONE))).toBe(ONE);
    expect(await driver.ensureBgpService(aService(OTHER))).toBe(ONE);
    contrail.faults.loseAnswers({ times: 1, when: ({ method }) => method === 'POST' });
    const late = { ...aService(OTHER), name: 'late' };
    expect(await driver.ensureBgpService(late)).toBe(OTHER);
    expect(contrail.store.list('bgp-as-a-service')).toHaveLength(2);
  });

  it('repeats a call that a server without its database refused', async () => {
    const contrail = await simulate();
    contrail.faults.answer(503, { times: 2, text: 'No connection to zookeeper.' });
    expect((await driverOf(open([contrail.url])).bgpGlobals()).autonomousSystem).toBe(64_512);
  });

  it('leaves it alone for a while when nobody answers', async () => {
    const gone = await simulate();
    await closers.pop()?.();
    const driver = driverOf(open([gone.url]));
    for (let call = 0; call < 2; call += 1) await expect(driver.bgpGlobals()).rejects.toThrow(UnavailableError);
  });

  it('never sends back what the server alone writes', async () => {
    const contrail = await simulate();
    const driver = driverOf(open([contrail.url]));
    await driver.ensureBgpService(aService(ONE));
    await driver.ensureBgpService(aService(ONE));
    const bodies = contrail.requests.map((request) => JSON.stringify(request));
    for (const body of bodies) expect(body).not.toMatch(/id_perms|back_refs"|parent_href/);
  });

  it('keeps a health check as it is wanted, in the project of the ports', async () => {
    const contrail = await simulate();
    const driver = driverOf(open([contrail.url]));
    const port = { ...PORT, project: FQ };
    await driver.setHealthCheck('check', aCheck, [port]);
    await driverOf(open([contrail.url])).setHealthCheck('check', { ...aCheck, interval: 1_500 }, [port]);
    const [check, ...others] = contrail.store.list('service-health-check');
    expect(others).toEqual([]);
    expect(check?.fqName).toEqual([...FQ, 'check']);
    expect(check?.properties['service_health_check_properties']).toMatchObject({ delay: 1, delayUsecs: 500_000 });
    await driver.removeHealthChecks('check');
    expect(contrail.store.list('service-health-check')).toEqual([]);
  });
});

const PORT = {
  ...{ id: ONE, name: 'port', networkId: null, pairs: [], healthChecks: [], routeTableIds: [] },
  ...{ bgpServiceIds: [], hasBgpRouter: false },
};
