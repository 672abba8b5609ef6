import { PassedThroughError, UnavailableError } from '../../driver/domain/errors';
import { CloudPausedError } from '../../driver/reconcile/cloudPaused';
import { type CloudManners, guardDriver } from '../../driver/worker/guardDriver';
import { waitUntil } from '../support/wait';

function guard(call: () => Promise<string>, given: Partial<CloudManners> = {}) {
  const states: string[] = [];
  const driver = guardDriver(
    { call, quiet: true },
    {
      cloud: 'network',
      concurrency: 2,
      callTimeout: 1_000,
      failures: 3,
      pause: 30,
      onChange: (state) => states.push(state),
      ...given,
    },
  );
  return { driver, states };
}

const away = async (): Promise<string> => {
  throw new UnavailableError('no answer');
};

describe('guardDriver', () => {
  it('lets answers, refusals and values through as they are', async () => {
    const { driver } = guard(async () => 'fine');
    expect(await driver.call()).toBe('fine');
    expect(driver.quiet).toBe(true);
    const refusing = guard(async () => {
      throw new PassedThroughError(409, 'taken');
    });
    for (let i = 0; i < 10; i += 1) await expect(refusing.driver.call()).rejects.toThrow('taken');
    expect(refusing.states).toEqual([]);
  });

  it('makes no more calls at a time than it may', async () => {
    let running = 0;
    let most = 0;
    const { driver } = guard(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
      return '';
    });
    await Promise.all(Array.from({ length: 10 }, () => driver.call()));
    expect(most).toBe(2);
  });

  it('leaves a cloud alone that does not answer, and asks again after a while', async () => {
    let broken = true;
    let calls = 0;
    const { driver, states } = guard(async () => {
      calls += 1;
      return broken ? away() : 'back';
    });
    for (let i = 0; i < 2; i += 1) await expect(driver.call()).rejects.toThrow('no answer');
    // The one that makes it known pays for it no more than those that come after.
    for (let i = 0; i < 2; i += 1) await expect(driver.call()).rejects.toThrow(CloudPausedError);
    expect(calls).toBe(3);
    expect(states).toEqual(['paused']);
    const probe = (): Promise<unknown> => driver.call().catch((error: unknown) => error);
    await waitUntil(
      'it is asked in vain',
      2_000,
      async () => (await probe()) instanceof CloudPausedError && calls === 4,
    );

    broken = false;
    await waitUntil('it is asked again', 2_000, async () => (await driver.call().catch(() => '')) === 'back');
    expect(states).toEqual(['paused', 'paused', 'resumed']);
  });

  it('a call that takes too long is no answer', async () => {
    const { driver } = guard(() => new Promise<string>(() => undefined), { callTimeout: 5 });
    await expect(driver.call()).rejects.toThrow(UnavailableError);
  });
});
