import { Registry } from 'prom-client';
import { defineProcessMetrics } from '../../driver/telemetry/processMetrics';

it('tells of connections to the database, and whether the broker can be reached, as they are when asked', async () => {
  const registry = new Registry();
  let trouble: string | undefined;
  let waiting = 0;
  defineProcessMetrics(registry, {
    poolUse: () => ({ used: 3, free: 2, waiting }),
    brokerTrouble: () => trouble,
  });
  const lines = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

  expect(await lines()).toEqual([
    'slipstream_db_connections{state="used"} 3',
    'slipstream_db_connections{state="free"} 2',
    'slipstream_db_connections{state="waiting"} 0',
    'slipstream_broker_up 1',
  ]);
  trouble = 'The message broker is away.';
  waiting = 7;
  expect(await lines()).toEqual(
    expect.arrayContaining(['slipstream_db_connections{state="waiting"} 7', 'slipstream_broker_up 0']),
  );
});
