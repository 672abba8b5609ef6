import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ListenerSpec } from '../../driver/protocol/spec';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPool, aSpec } from '../support/agentSpecs';
import { fetchOnce, statusOf } from '../support/agentTraffic';
import { startWeb, type WebBackend } from '../support/backends/web';
import { type Blackhole, startBlackhole } from '../support/blackhole';

const VIP = '127.80.203.2';
const PORT = 20_080;
/** Milliseconds: what the tests set, and far less than the defaults of 50 s and 5 s. */
const SHORT = 300;
const LONG = 2500;

describe('the limits of a listener', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let web: WebBackend;
  let generation = 0;

  beforeAll(async () => {
    [controller, web] = await Promise.all([startController(), startWeb('web')]);
    engine = createEngine([controller.url]);
    await engine.start();
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), web.stop()]);
  });

  const serve = (listener: Partial<ListenerSpec>, port = web.port) => {
    generation += 1;
    const listeners = [aListener({ port: PORT, ...listener })];
    const protocol = listener.protocol === 'TCP' ? 'TCP' : 'HTTP';
    return controller.put(
      aSpec({ generation, vips: [VIP], listeners, pools: [aPool({ protocol, members: [aMember({ port })] })] }),
    );
  };

  it.each(['HTTP', 'TCP'] as const)('let go of a silent client of %s after timeout_client_data', async (protocol) => {
    await serve({ protocol, timeoutClientData: SHORT });
    const client = await dial();
    client.write('GET / HTTP/1.1\r\nX-Half: ');
    const { elapsed } = await timed(ended(client));
    expect(elapsed).toBeGreaterThan(SHORT * 0.8);
    expect(elapsed).toBeLessThan(LONG);
  });

  it('answer 504 for a member that is silent for timeout_member_data', async () => {
    await serve({ timeoutMemberData: SHORT });
    const { value, elapsed } = await timed(statusOf(VIP, PORT, `/?wait=${LONG}`));
    expect(value).toBe(504);
    expect(elapsed).toBeLessThan(LONG);
  });

  describe('with a member that takes no connections', () => {
    let blackhole: Blackhole;
    beforeAll(async () => {
      blackhole = await startBlackhole();
    });
    afterAll(() => blackhole.stop());

    it('answer 503 once every try has taken timeout_member_connect', async () => {
      await serve({ timeoutMemberConnect: SHORT }, blackhole.port);
      const { value, elapsed } = await timed(statusOf(VIP, PORT));
      expect(value).toBe(503);
      // One try and three more.
      expect(elapsed).toBeGreaterThan(4 * SHORT * 0.8);
      expect(elapsed).toBeLessThan(4 * LONG);
    });
  });

  it('take 0 for the default and not for ever', async () => {
    await serve({ timeoutClientData: 0, timeoutMemberConnect: 0, timeoutMemberData: 0 });
    const written = engine.configuration('lb-1').match(/timeout (?:client|connect|server) \d+ms/g);
    expect(written).toEqual(['timeout client 50000ms', 'timeout connect 5000ms', 'timeout server 50000ms']);
    expect(await statusOf(VIP, PORT)).toBe(200);
  });

  it('keep clients above the connection limit waiting until others have gone', async () => {
    await serve({ protocol: 'TCP', connectionLimit: 2 });
    const holders = [await dial(), await dial()];
    await controller.waitFor('it is full', () => controller.report('lb-1')?.listeners['listener-1'] === 'FULL');
    const before = web.arrivals.length;
    let answered = false;
    const third = fetchOnce(VIP, PORT).then((body) => {
      answered = true;
      return body;
    });
    const later = Date.now() + SHORT;
    await controller.waitFor('it could long have been answered', () => Date.now() > later);
    expect({ answered, arrivals: web.arrivals.length }).toEqual({ answered: false, arrivals: before });

    for (const holder of holders) holder.destroy();
    expect(JSON.parse(await third)).toMatchObject({ backend: 'web' });
  });
});

function dial(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(PORT, VIP);
    socket.once('error', reject).once('connect', () => {
      socket.off('error', reject).on('error', () => undefined);
      socket.resume();
      resolve(socket);
    });
  });
}

function ended(socket: Socket): Promise<unknown> {
  return once(socket, 'close');
}

async function timed<T>(work: Promise<T>): Promise<{ value: T; elapsed: number }> {
  const started = Date.now();
  const value = await work;
  return { value, elapsed: Date.now() - started };
}
