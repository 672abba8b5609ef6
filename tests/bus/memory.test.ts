import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { waitUntil } from '../support/simulators/waitUntil';

it('tells in the log which message a handler failed on', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const bus = createMemoryBus({ log });
  await bus.subscribe('work', () => {
    throw new Error('refused');
  });

  await bus.publish('work', { method: 'load_balancer', args: {}, loadBalancerId: 'lb-1' });

  await waitUntil(() => lines.length === 1);
  expect(lines[0]).toMatchObject({ topic: 'work', method: 'load_balancer', lb: 'lb-1', err: { message: 'refused' } });
  await bus.close();
});

it('drops a message that nobody is subscribed to', async () => {
  const bus = createMemoryBus({ log: pino({ level: 'silent' }) });
  await bus.publish('work', { method: 'early', args: {} });
  await new Promise((resolve) => setImmediate(resolve));
  const received: string[] = [];
  await bus.subscribe('work', ({ method }) => void received.push(method));

  await bus.publish('work', { method: 'late', args: {} });
  await bus.close();

  expect(received).toEqual(['late']);
});
