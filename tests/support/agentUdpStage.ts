import type { Ack } from '../../driver/protocol/messages';
import type { ListenerSpec, LoadBalancerSpec, MemberSpec, PoolSpec } from '../../driver/protocol/spec';
import { type FakeController, startController } from './agentController';
import { spreadDatagrams } from './agentDatagrams';
import { createEngine, type EngineUnderTest } from './agentEngine';
import { aListener, aMember, aPool, aSpec } from './agentSpecs';
import { type DatagramBackend, startDatagram } from './backends/datagram';

export const UDP_PORT = 20_053;

/** An engine whose load balancer `lb-1` has a UDP listener, with backends `one`, `two` and `three`. */
export interface UdpStage {
  readonly controller: FakeController;
  readonly engine: EngineUnderTest;
  readonly vip: string;
  readonly one: DatagramBackend;
  readonly two: DatagramBackend;
  readonly three: DatagramBackend;
  member(backend: DatagramBackend, over?: Partial<MemberSpec>): MemberSpec;
  serve(pool: Partial<PoolSpec>, listener?: Partial<ListenerSpec>, over?: Partial<LoadBalancerSpec>): Promise<Ack>;
  /** Who answers `count` clients of one datagram each. */
  spread(count: number, from?: string): Promise<Record<string, number>>;
  memberStates(): Readonly<Record<string, string>>;
  /** Waits until the engine reports the member so. */
  waitForMember(backend: DatagramBackend, state: string): Promise<void>;
  dispose(): Promise<void>;
}

export async function setUdpStage(vip: string, config: Parameters<typeof createEngine>[1] = {}): Promise<UdpStage> {
  const [controller, one, two, three] = await Promise.all([
    startController(),
    startDatagram('one'),
    startDatagram('two'),
    startDatagram('three'),
  ]);
  const engine = createEngine([controller.url], config);
  await engine.start();
  let generation = 0;
  const memberStates = () => controller.report('lb-1')?.pools['pool-1']?.members ?? {};
  return {
    controller,
    engine,
    vip,
    one,
    two,
    three,
    member: ({ name, address, port }, over = {}) => aMember({ id: `member-${name}`, address, port, ...over }),
    serve(pool, listener = {}, over = {}) {
      generation += 1;
      return controller.put(
        aSpec({
          generation,
          vips: [vip],
          listeners: [aListener({ protocol: 'UDP', port: UDP_PORT, timeoutClientData: 1000, ...listener })],
          pools: [aPool({ protocol: 'UDP', ...pool })],
          ...over,
        }),
      );
    },
    spread: (count, from) => spreadDatagrams(vip, UDP_PORT, { count, ...(from === undefined ? {} : { from }) }),
    memberStates,
    waitForMember: (backend, state) =>
      controller.waitFor(`${backend.name} is ${state}`, () => memberStates()[`member-${backend.name}`] === state),
    async dispose() {
      await engine.dispose();
      await Promise.all([one, two, three].map((backend) => backend.stop().catch(() => undefined)));
      await controller.close();
    },
  };
}
