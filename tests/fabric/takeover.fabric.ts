import { FAILURES } from './support/failures';
import { isFull } from './support/stage';
import { openTries, type TakeoverTries } from './support/takeoverTries';

/** What a client waits for at the very most, on a machine that has other work. Milliseconds. */
const BEARABLE = 60_000;

let tries: TakeoverTries;

beforeAll(async () => {
  const pairs = ['address pairs', 'address pairs and a floating IP'];
  tries = await openTries({
    title: 'an engine lost, vRouters ping engines every 0.2 s, twice',
    settings: '',
    modes: isFull ? [...pairs, 'BGP', 'BGP and a floating IP'] : pairs,
  });
}, 240_000);

afterAll(async () => {
  await tries?.close();
});

it.each(FAILURES)(
  'has the other engine serve all once an engine is lost, and both once it is back: $name',
  async (failure) => {
    const taken = await tries.run(failure);
    expect([...taken.keys()]).toEqual(tries.modes);
    for (const all of taken.values()) expect(Math.max(...all.map(({ out }) => out))).toBeLessThan(BEARABLE);
  },
  isFull ? 3_600_000 : 240_000,
);
