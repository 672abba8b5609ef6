import { createKeyedQueue, type KeyedQueueDeps } from '../../driver/reconcile/keyedQueue';
import { waitUntil } from '../support/wait';

/** A run that ends when the test says so. */
function controlled() {
  const started: string[] = [];
  const open = new Map<string, () => void>();
  return {
    started,
    run: (key: string) =>
      new Promise<void>((resolve) => {
        started.push(key);
        open.set(key, resolve);
      }),
    async end(key: string) {
      await waitUntil(`${key} runs`, 1_000, () => open.has(key));
      open.get(key)?.();
      open.delete(key);
      await settle();
    },
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const queueOf = (given: Partial<KeyedQueueDeps>) =>
  createKeyedQueue({ run: async () => undefined, onError: () => undefined, concurrency: 1, ...given });

describe('a keyed queue', () => {
  it('runs a key once, however often it is added before its run', async () => {
    const { run, started, end } = controlled();
    const queue = queueOf({ run });
    queue.add('first');
    for (let i = 0; i < 5; i += 1) queue.add('second');
    await end('first');
    await end('second');
    await queue.idle();
    expect(started).toEqual(['first', 'second']);
  });

  it('runs a key once more when it is added during its run, and never twice at a time', async () => {
    const { run, started, end } = controlled();
    const queue = queueOf({ run, concurrency: 4 });
    queue.add('a');
    await settle();
    queue.add('a');
    queue.add('a');
    await settle();
    expect(started).toEqual(['a']);
    await end('a');
    expect(started).toEqual(['a', 'a']);
    await end('a');
    await queue.idle();
    expect(started).toHaveLength(2);
  });

  it('runs no more at a time than it may', async () => {
    let running = 0;
    let most = 0;
    const queue = queueOf({
      concurrency: 3,
      run: async () => {
        running += 1;
        most = Math.max(most, running);
        await settle();
        running -= 1;
      },
    });
    for (let i = 0; i < 20; i += 1) queue.add(`k${i}`);
    await waitUntil('all have run', 1_000, () => queue.size === 0);
    expect(most).toBe(3);
  });

  it('takes lanes by turns, so that a busy project holds up nobody', async () => {
    const started: string[] = [];
    const queue = queueOf({ run: async (key) => void started.push(key) });
    for (let i = 0; i < 4; i += 1) queue.add(`busy${i}`, 'busy');
    queue.add('calm', 'calm');
    await waitUntil('all have run', 1_000, () => started.length === 5);
    // One had started before anybody else was there, and one more lane was before its own.
    expect(started.indexOf('calm')).toBe(2);
  });

  it('comes back to a key later, sooner if it is added meanwhile, and then no second time', async () => {
    const started: string[] = [];
    const queue = queueOf({ run: async (key) => void started.push(key) });
    queue.addLater('late', 10);
    queue.addLater('hurried', 30);
    queue.add('hurried');
    await waitUntil('both have run', 1_000, () => started.length === 2);
    expect(started).toEqual(['hurried', 'late']);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(started).toHaveLength(2);
  });

  it('of two later times the sooner counts', async () => {
    const started: number[] = [];
    const queue = queueOf({ run: async () => void started.push(performance.now()) });
    const from = performance.now();
    queue.addLater('k', 10_000);
    queue.addLater('k', 5);
    queue.addLater('k', 10_000);
    await waitUntil('it has run', 1_000, () => started.length === 1);
    expect((started[0] ?? Number.NaN) - from).toBeLessThan(5_000);
    await queue.close();
  });

  it('survives a run that throws, and tells of it', async () => {
    const errors: unknown[] = [];
    const queue = queueOf({
      run: async (key) => {
        if (key === 'bad') throw new Error('no');
      },
      onError: (error, key) => errors.push([key, String(error)]),
    });
    queue.add('bad');
    queue.add('good');
    await waitUntil('all have run', 1_000, () => queue.size === 0);
    expect(errors).toEqual([['bad', 'Error: no']]);
  });

  it('closes when its runs have ended, and starts nothing more', async () => {
    const { run, started, end } = controlled();
    const queue = queueOf({ run });
    queue.add('running');
    queue.add('waiting');
    queue.addLater('later', 1);
    await settle();
    let closed = false;
    const closing = queue.close().then(() => {
      closed = true;
    });
    await settle();
    expect(closed).toBe(false);
    await end('running');
    await closing;
    queue.add('too late');
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(started).toEqual(['running']);
  });
});
