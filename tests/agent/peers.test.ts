import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hasLearnt } from '../../driver/agent/serve/learn';
import type { LoadBalancerSpec } from '../../driver/protocol/spec';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPool, aSpec } from '../support/agentSpecs';
import { fetchOnce } from '../support/agentTraffic';
import { freePorts } from '../support/freePorts';
import { waitUntil } from '../support/wait';

const PORT = 20_081;
const WAIT = 40_000;
jest.setTimeout(120_000);

/** An engine of several, that has a VIP of its own here. */
interface Site {
  readonly name: string;
  readonly address: string;
  readonly vip: string;
  readonly controller: FakeController;
  readonly engine: EngineUnderTest;
}

describe('engines that share what they learn of clients', () => {
  const sites: Site[] = [];
  const members: { name: string; port: number; close(): void }[] = [];
  let port = 0;
  let generation = 0;

  beforeAll(async () => {
    [port = 0] = await freePorts(1);
    for (const name of ['one', 'two']) members.push(await startApplication(name));
    for (const index of [1, 2]) {
      const controller = await startController();
      const engine = createEngine([controller.url], { engineId: `engine-${index}` });
      await engine.start();
      const place = { address: `127.80.210.${index}`, vip: `127.80.211.${index}` };
      sites.push({ name: `engine-${index}`, ...place, controller, engine });
    }
  });
  afterAll(async () => {
    for (const { engine } of sites) await engine.dispose();
    for (const { controller } of sites) await controller.close();
    for (const { close } of members) close();
  });

  const site = (index: number): Site => {
    const found = sites[index];
    if (found === undefined) throw new Error(`there is no engine ${index}`);
    return found;
  };
  const serve = async ({ name, address, vip, controller }: Site, others: readonly Site[], over: object = {}) => {
    generation += 1;
    const persistence = { type: 'APP_COOKIE', cookieName: 'session', timeout: null, granularity: null } as const;
    const pool = { persistence, members: members.map((it) => aMember({ id: it.name, port: it.port })) };
    const peers = { name, address, port, others: others.map((it) => ({ name: it.name, address: it.address })) };
    const spec: LoadBalancerSpec = aSpec({
      ...{ id: 'lb-shared', generation, vips: [vip], peers },
      ...{ listeners: [aListener({ port: PORT, ...over })], pools: [aPool(pool)] },
    });
    const ack = await controller.put({ ...spec, digest: `${generation}` });
    expect(ack).toMatchObject({ outcome: 'applied', refusals: [] });
  };
  /** A new client: its cookie and its member. */
  const visit = async ({ vip }: Site) => {
    const [session, member] = (await fetchOnce(vip, PORT)).split(' ');
    return { cookie: `session=${session}`, member };
  };
  const memberOf = async ({ vip }: Site, cookie: string) => (await fetchOnce(vip, PORT, { cookie })).split(' ')[1];

  it('begins to serve with what the others know, and tells them what it learns', async () => {
    const [first, second] = [site(0), site(1)];
    await serve(first, []);
    const clients = await Promise.all(Array.from({ length: 12 }, () => visit(first)));
    expect(new Set(clients.map(({ member }) => member))).toEqual(new Set(['one', 'two']));

    await serve(first, [second]);
    await serve(second, [first]);
    for (const { cookie, member } of clients) expect(await memberOf(second, cookie)).toBe(member);

    const more = await Promise.all(Array.from({ length: 6 }, () => visit(second)));
    for (const { cookie, member } of more) {
      // Whoever is not known yet is sent to each in turn.
      await waitUntil('the other one knows', WAIT, async () => {
        const seen = [await memberOf(first, cookie), await memberOf(first, cookie), await memberOf(first, cookie)];
        return seen.every((it) => it === member);
      });
    }
  });

  it('knows it after a reload, and after a start with nothing of its own', async () => {
    const [first, second] = [site(0), site(1)];
    const clients = await Promise.all(Array.from({ length: 12 }, () => visit(first)));
    await serve(first, [second], { timeoutClientData: 40_000 });
    for (const { cookie, member } of clients) expect(await memberOf(first, cookie)).toBe(member);

    await second.controller.remove('lb-shared', generation);
    await serve(second, [first]);
    for (const { cookie, member } of clients) expect(await memberOf(second, cookie)).toBe(member);
  });

  it('misleads nobody while workers follow one another', async () => {
    const [first, second] = [site(0), site(1)];
    const clients = await Promise.all(Array.from({ length: 12 }, () => visit(first)));
    let isOver = false;
    const misled: string[] = [];
    let asked = 0;
    const asking = clients.map(async ({ cookie, member }) => {
      while (!isOver) {
        const seen = await memberOf(first, cookie);
        asked += 1;
        if (seen !== member) misled.push(`${cookie} came to ${seen}`);
      }
    });
    for (let round = 0; round < 6; round += 1) await serve(first, [second], { timeoutClientData: 41_000 + round });
    isOver = true;
    await Promise.all(asking);
    expect(misled).toEqual([]);
    expect(asked).toBeGreaterThan(100);
  });

  it('serves alone when the others are gone, and when nobody is to be reached', async () => {
    const [first, second] = [site(0), site(1)];
    await second.controller.remove('lb-shared', generation);
    const { cookie, member } = await visit(first);
    await serve(first, [second], { timeoutClientData: 30_000 });
    expect(await memberOf(first, cookie)).toBe(member);

    await first.controller.remove('lb-shared', generation);
    await serve(first, [second]);
    expect((await visit(first)).member).toMatch(/one|two/);
  });

  it('serves clients also where its port for the others is taken', async () => {
    const [first] = sites;
    if (first === undefined) throw new Error('there is no engine');
    await first.controller.remove('lb-shared', generation);
    const intruder = createServer().listen(port, first.address);
    await once(intruder, 'listening');
    await serve(first, []);
    expect(first.engine.configuration('lb-shared')).toContain("peer self 'unix@");
    expect((await visit(first)).member).toMatch(/one|two/);
    intruder.close();
  });
});

describe('what haproxy says of its peers', () => {
  const told = (flags: string) =>
    `0x55610477ad60: [22/Nov/2026:05:07:11] id=engines disabled=0 flags=${flags} resync_timeout=4s task_calls=3\n` +
    '  0x55610477de70: id=e1(remote,active) addr=127.0.0.11:20001 last_status=ESTA last_hdshk=0s\n' +
    '        flags=0x20000200 appctx:0x7f956c039910 st0=7 st1=0 task_calls=6 state=EST\n';

  it.each([
    ['is in vain so far', '0x11', false],
    ['goes on', '0x2011', false],
    ['is done by one who knew all', '0x2213', true],
    ['is done by one who is learning itself', '0x6811', true],
    ['is over', '0x33', true],
  ])('tells whether learning %s', (_what, flags, learnt) => {
    expect(hasLearnt(told(flags))).toBe(learnt);
  });

  it('is no reason to serve when there is nothing to be read in it', () => {
    expect(hasLearnt('')).toBe(false);
  });
});

/** Answers the client's session and its own name; gives a session to those without. */
async function startApplication(name: string) {
  let last = 0;
  const server = createServer((request, response) => {
    const known = /session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
    last += 1;
    const session = known ?? `${name}-${last}`;
    if (known === undefined) response.setHeader('set-cookie', `session=${session}`);
    response.end(`${session} ${name}`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ...{ name, port },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
