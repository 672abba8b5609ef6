import { FAILURES } from './support/failures';
import { isFull } from './support/stage';
import { openTries, type Sign, type TakeoverTries } from './support/takeoverTries';

/** What a client waits for at the very most, on a machine that has other work. Milliseconds. */
const BEARABLE = 60_000;
/** The kernel of a hung machine answers pings for ever: BFD alone tells. */
const RUN = isFull ? FAILURES : FAILURES.filter(({ name }) => name === 'hung' || name === 'cut from data');

/** The vRouter takes the engine's interface for dead. */
const isMissed: Sign = async ({ db, fabric }, engineId) => {
  const ports: string[] = await db('se_vnic')
    .where({ service_engine_id: engineId })
    .whereNotNull('port_id')
    .pluck('port_id');
  const taps = fabric.inside.plan()?.instances.flatMap((one) => one.taps) ?? [];
  return taps.some((tap) => ports.includes(tap.interface.id) && !fabric.inside.isHealthy(tap.interface));
};

let tries: TakeoverTries;

beforeAll(async () => {
  tries = await openTries({
    title: 'an engine lost, BFD between vRouters and engines every 0.2 s, three times',
    settings:
      '[contrail]\nhealth_check = bfd\nhealth_check_interval = 0.2\nhealth_check_timeout = 0.2\nhealth_check_retries = 3',
    modes: ['BGP', 'BGP and a floating IP'],
  });
}, 240_000);

afterAll(async () => {
  await tries?.close();
});

it.each(RUN)(
  'takes an engine out of the routes as soon as the vRouter misses its packets: $name',
  async (failure) => {
    const taken = await tries.run(failure, failure.name === 'cut from management' ? undefined : isMissed);
    expect([...taken.keys()]).toEqual(tries.modes);
    for (const all of taken.values()) expect(Math.max(...all.map(({ out }) => out))).toBeLessThan(BEARABLE);
  },
  isFull ? 3_600_000 : 240_000,
);
