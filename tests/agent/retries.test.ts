import { Agent, request } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPool, aSpec } from '../support/agentSpecs';

const VIP = '127.80.203.3';
const PORT = 20_080;
const ROUNDS = 20;

describe('a member that closes idle connections under requests on their way', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let member: HastyMember;

  beforeAll(async () => {
    [controller, member] = await Promise.all([startController(), startHasty()]);
    engine = createEngine([controller.url]);
    await engine.start();
    const pools = [aPool({ members: [aMember({ port: member.port })] })];
    await controller.put(aSpec({ vips: [VIP], listeners: [aListener({ port: PORT })], pools }));
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), member.stop()]);
  });

  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('loses no %s', async (method) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const before = member.hasty();
    const statuses = await repeat(ROUNDS, () => statusOf(method, agent));
    agent.destroy();
    expect(statuses).toEqual(Array(ROUNDS).fill(200));
    expect(member.hasty()).toBeGreaterThan(before);
  });

  it('loses no POST of a client with a connection for each, and sends none twice', async () => {
    await repeat(ROUNDS, () => statusOf('GET', false));
    const before = member.answered('POST');
    expect(await repeat(ROUNDS, () => statusOf('POST', false))).toEqual(Array(ROUNDS).fill(200));
    expect(member.answered('POST') - before).toBe(ROUNDS);
  });

  it('leaves a later POST to the client, who knows whether it may be sent again', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await statusOf('POST', agent)).toBe(200);
    const before = member.seen('POST');
    expect(await statusOf('POST', agent)).toBe('ECONNRESET');
    agent.destroy();
    expect(member.seen('POST') - before).toBe(1);
  });
});

interface HastyMember {
  readonly port: number;
  /** Connections closed under a request. */
  hasty(): number;
  answered(method: string): number;
  seen(method: string): number;
  stop(): Promise<void>;
}

/** Answers the first request of a connection and closes the connection when the second one comes. */
async function startHasty(): Promise<HastyMember> {
  const answered = new Map<string, number>();
  const seen = new Map<string, number>();
  let hasty = 0;
  const count = (where: Map<string, number>, method: string) => where.set(method, (where.get(method) ?? 0) + 1);
  const server: Server = createServer((socket) => {
    let requests = 0;
    socket
      .on('error', () => undefined)
      .on('data', (data) => {
        const method = /^(\w+) \S+ HTTP/.exec(data.toString('latin1'))?.[1] ?? '';
        count(seen, method);
        requests += 1;
        if (requests > 1) {
          hasty += 1;
          socket.destroy();
          return;
        }
        count(answered, method);
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    hasty: () => hasty,
    answered: (method) => answered.get(method) ?? 0,
    seen: (method) => seen.get(method) ?? 0,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** The status of the answer, or the code of what went wrong. */
function statusOf(method: string, agent: Agent | false): Promise<number | string> {
  return new Promise((resolve) => {
    const sent = request({ host: VIP, port: PORT, method, agent }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message)).end();
  });
}

async function repeat<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let index = 0; index < count; index += 1) results.push(await work());
  return results;
}
