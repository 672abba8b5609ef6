import { setImmediate } from 'node:timers/promises';
import type { Channel, ChannelModel } from 'amqplib';
import pino from 'pino';
import { keepChannel } from '../../../driver/bus/amqp/keptChannel';
import type { Link } from '../../../driver/bus/amqp/link';
import { waitUntil } from '../../support/wait';

/** A connection that stands and takes no messages, as in a broker's memory alarm. */
function blockedLink(): Link & { end(): void } {
  const closing = new AbortController();
  return {
    connection: async () => ({}) as ChannelModel,
    trouble: () => 'The message broker takes no messages now: low on memory',
    isUp: () => true,
    closed: closing.signal,
    close: async () => undefined,
    end: () => closing.abort(),
  };
}

it('pauses between attempts that the broker refuses, when it takes no messages too', async () => {
  const link = blockedLink();
  const times: number[] = [];
  const kept = keepChannel<Channel>({
    link,
    log: pino({ level: 'silent' }),
    name: 'refused',
    retry: { first: 100, factor: 2, most: 1_000 },
    open: async () => {
      await setImmediate();
      times.push(performance.now());
      throw new Error('PRECONDITION_FAILED');
    },
  });
  await waitUntil('it was tried four times', 10_000, () => times.length >= 4);
  link.end();

  // The first repetition is at once; then come 0.1 s and 0.2 s, a tenth of them less or more.
  expect((times[3] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(250);
  await expect(kept.up()).rejects.toThrow(/closed/);
});
