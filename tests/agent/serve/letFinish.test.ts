import { untilIdle } from '../../../driver/agent/serve/letFinish';

/** What looks find, one after the other; the last one goes on. Gives the milliseconds until it counts as idle. */
async function timeOf(sessions: readonly number[], halfOpen: readonly number[]): Promise<number> {
  let at = 0;
  const oneByOne = (found: readonly number[]) => {
    let index = 0;
    return async () => found[Math.min(index++, found.length - 1)] ?? 0;
  };
  await untilIdle({
    now: () => at,
    sleep: async (milliseconds) => {
      at += milliseconds;
    },
    sessions: oneByOne(sessions),
    halfOpen: oneByOne(halfOpen),
  });
  return at;
}

describe('a load balancer that lets nobody new in', () => {
  it('is idle once three looks in a row have found nothing', async () => {
    expect(await timeOf([0], [0])).toBe(300);
    expect(await timeOf([0, 0, 1, 0], [0])).toBe(600);
  });

  it('waits for clients whose handshake is not over, and for what they ask then', async () => {
    expect(await timeOf([0], [2, 1, 0])).toBe(900);
    expect(await timeOf([0, 0, 0, 1, 0], [1, 0])).toBe(700);
  });

  it('waits no longer than two seconds', async () => {
    expect(await timeOf([1], [0])).toBe(2_000);
    expect(await timeOf([0], [1])).toBe(2_000);
  });
});
