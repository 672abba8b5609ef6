import { createGateways } from '../../../driver/agent/mastership/gateways';
import { reportReach, type Surroundings } from '../../../driver/agent/mastership/reach';
import type { DomainSpec } from '../../../driver/protocol/engineSpec';

const SPEC: DomainSpec = {
  id: 'net',
  vnics: [],
  routes: [{ destination: '0.0.0.0/0', nextHop: '10.0.0.1', vnicId: 'v', metric: 0 }],
};
const DOMAIN = { spec: SPEC, namespace: 'ss-net', ready: true };

describe('the gateway of a domain', () => {
  let now: number;
  let asked: number;
  let answer: (answers: boolean) => void;
  let gateways: ReturnType<typeof createGateways>;

  beforeEach(() => {
    now = 0;
    asked = 0;
    const probe = () => {
      asked += 1;
      return new Promise<boolean>((resolve) => {
        answer = resolve;
      });
    };
    gateways = createGateways(probe, () => now);
  });

  const look = (isPaired = false) => gateways.look(DOMAIN, isPaired);
  async function answered(answers: boolean, after = 2_000): Promise<void> {
    now += after;
    look();
    answer(answers);
    await new Promise(setImmediate);
  }

  it('is asked when that is due, and once at a time: sooner if there is a pair', async () => {
    look();
    now = 10_000;
    look();
    expect(asked).toBe(1);
    answer(true);
    await new Promise(setImmediate);
    now = 11_999;
    look();
    expect(asked).toBe(2);
    answer(true);
    await new Promise(setImmediate);
    now = 13_000;
    look();
    expect(asked).toBe(2);
    look(true);
    expect(asked).toBe(3);
  });

  it('is silent once it has answered and does not twice in a row, and never before', async () => {
    await answered(false);
    await answered(false);
    await answered(false);
    expect(look()).toEqual({ answeredAt: null, isSilent: false });
    await answered(true);
    expect(look()).toEqual({ answeredAt: now, isSilent: false });
    await answered(false);
    expect(look()?.isSilent).toBe(false);
    // Asked again at once.
    await answered(false, 1_000);
    expect(look()?.isSilent).toBe(true);
    await answered(true);
    expect(look()?.isSilent).toBe(false);
  });

  it('is none without a default route, and forgotten with its domain', async () => {
    expect(gateways.look({ ...DOMAIN, spec: { routes: [] } }, true)).toBeNull();
    await answered(true);
    gateways.keep([DOMAIN]);
    expect(look()?.answeredAt).not.toBeNull();
    gateways.keep([]);
    expect(look()?.answeredAt).toBeNull();
  });
});

describe('what is told of a domain', () => {
  const neighbours = ['b', 'c', 'd'].map((engineId) => ({ engineId, address: '10.0.0.9', key: 'k' }));
  const heartbeat = { interval: 100, timeout: 1_000, neighbours };
  const told = (over: Partial<Surroundings> = {}) =>
    reportReach(
      { domain: { ...DOMAIN, spec: { ...SPEC, heartbeat } }, gateway: null, line: undefined, ...over },
      5_000,
    );

  it('names neighbours that are heard, and those that were and are not any more', () => {
    const heardAt = (id: string): number | undefined => ({ b: 4_000, c: 3_999 })[id];
    expect(told({ line: { heardAt } })).toEqual({ domainId: 'net', gateway: null, heard: ['b'], missed: ['c'] });
  });

  it('tells a gateway that has not answered yet from one that has stopped', () => {
    const gateway = (answeredAt: number | null, isSilent: boolean) =>
      told({ gateway: { answeredAt, isSilent } }).gateway;
    expect(gateway(null, false)).toBe('unanswered');
    expect(gateway(4_000, false)).toBe('answers');
    expect(gateway(4_000, true)).toBe('silent');
  });
});
