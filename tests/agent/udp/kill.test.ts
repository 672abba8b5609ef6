import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type FakeController, startController } from '../../support/agentController';
import { openDatagramClient } from '../../support/agentDatagrams';
import { createEngine, type EngineUnderTest } from '../../support/agentEngine';
import { aListener, aMember, aPool, aSpec } from '../../support/agentSpecs';
import { type DatagramBackend, startDatagram } from '../../support/backends/datagram';

const ROOT = join(__dirname, '../../..');
const VIP = '127.80.210.7';
const PORT = 20_053;

/** Each client has an address of its own: a port that is used again within a session belongs to it. */
const addressOf = (client: number) => `127.20.${Math.floor(client / 250) % 250}.${1 + (client % 250)}`;

describe('an agent with UDP listeners that is killed again and again', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let backend: DatagramBackend;
  const agents: ChildProcess[] = [];

  beforeAll(async () => {
    [controller, backend] = await Promise.all([startController(), startDatagram('one')]);
    engine = createEngine([controller.url]);
  });
  afterAll(async () => {
    for (const agent of agents) agent.kill('SIGKILL');
    await engine.dispose();
    await Promise.all([controller.close(), backend.stop()]);
  });

  const startAgent = async () => {
    const hellos = controller.hellos().length;
    const files = [join(ROOT, 'devstack/run-ts.cjs'), join(ROOT, 'tests/support/agentProcess.ts')];
    const agent = spawn(process.execPath, [...files, JSON.stringify(engine.config)], { stdio: 'inherit' });
    agents.push(agent);
    await controller.waitFor('the agent says hello', () => controller.hellos().length > hellos);
    return agent;
  };
  const serve = (generation: number) =>
    controller.put(
      aSpec({
        generation,
        vips: [VIP],
        listeners: [aListener({ protocol: 'UDP', port: PORT, timeoutClientData: 300 + generation })],
        pools: [aPool({ protocol: 'UDP', members: [aMember({ address: backend.address, port: backend.port })] })],
      }),
    );

  it('counts every session once, and its clients notice nothing', async () => {
    let agent = await startAgent();
    await serve(1);
    const counted = { sessions: 0, bytesIn: 0, bytesOut: 0 };
    let going = true;
    const load = (async () => {
      while (going) {
        const client = await openDatagramClient(VIP, PORT, addressOf(counted.sessions));
        const answer = await client.ask('x'.repeat(counted.sessions % 100), 10_000);
        client.close();
        expect(answer).not.toBeNull();
        counted.sessions += 1;
        counted.bytesIn += client.sent;
        counted.bytesOut += client.received;
      }
    })();

    for (let round = 2; round <= 4; round += 1) {
      agent.kill('SIGKILL');
      await once(agent, 'exit');
      agent = await startAgent();
      await serve(round);
    }
    going = false;
    await load;

    const found = () => controller.counters('listener-1');
    await controller.waitFor('all sessions have ended', () => Number(found()?.totalConnections) >= counted.sessions);
    expect(found()).toMatchObject({
      totalConnections: String(counted.sessions),
      bytesIn: String(counted.bytesIn),
      bytesOut: String(counted.bytesOut),
    });
    expect(counted.sessions).toBeGreaterThan(100);
  }, 60_000);
});
