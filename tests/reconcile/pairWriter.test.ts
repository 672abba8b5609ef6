import type { PairChange } from '../../driver/clouds/contrail/port';
import { PassedThroughError, UnavailableError } from '../../driver/domain/errors';
import { gatherChanges, mergeChanges } from '../../driver/reconcile/pairWriter';

const put = (portId: string, address: string): PairChange => ({
  portId,
  put: [{ address, mode: 'active-active' }],
  remove: [],
});
const remove = (portId: string, address: string): PairChange => ({ portId, put: [], remove: [address] });

/** Writes that end when they are told to, one after another. */
function aCloud() {
  const begun: (readonly PairChange[])[] = [];
  const ends: { done: (missing?: readonly string[]) => void; fail: (error: Error) => void }[] = [];
  const writer = gatherChanges((changes) => {
    begun.push(changes);
    return new Promise((done, fail) => ends.push({ done: (missing = []) => done(missing), fail }));
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    ...{ writer, begun },
    portsOf: (index: number) => (begun[index] ?? []).map(({ portId }) => portId),
    async end(index: number, missing?: readonly string[]) {
      ends[index]?.done(missing);
      await settle();
    },
    async fail(index: number, error: Error) {
      ends[index]?.fail(error);
      await settle();
    },
  };
}

it('gathers what is wanted of a port during a write of it, and writes all of it at once', async () => {
  const { writer, begun, end } = aCloud();
  const first = writer.change([put('a', '10.0.0.1')]);
  const others = [2, 3, 4].map((it) => writer.change([put('a', `10.0.0.${it}`)]));
  expect(begun).toHaveLength(1);
  await end(0);
  expect(await first).toEqual([]);
  expect(begun).toHaveLength(2);
  expect(begun[1]).toEqual([
    { portId: 'a', put: [2, 3, 4].map((it) => ({ address: `10.0.0.${it}`, mode: 'active-active' })), remove: [] },
  ]);
  await end(1);
  expect(await Promise.all(others)).toEqual([[], [], []]);
});

it('waits for nobody who writes other ports', async () => {
  const { writer, begun } = aCloud();
  void writer.change([put('a', '10.0.0.1')]);
  void writer.change([put('b', '10.0.0.1')]);
  expect(begun).toHaveLength(2);
});

it('joins wishes that share a port with each other, and passes by nobody who waits for several', async () => {
  const { writer, begun, portsOf, end } = aCloud();
  void writer.change([put('a', '10.0.0.1')]);
  void writer.change([put('a', '10.0.0.2'), put('b', '10.0.0.2')]);
  void writer.change([put('b', '10.0.0.3')]);
  void writer.change([put('c', '10.0.0.4')]);
  expect(begun.length).toBe(2);
  expect(portsOf(1)).toEqual(['c']);
  await end(0);
  expect(portsOf(2).sort()).toEqual(['a', 'b']);
  expect(begun).toHaveLength(3);
});

it('tells each of its own ports alone that they are not there', async () => {
  const { writer, end } = aCloud();
  void writer.change([put('a', '10.0.0.1'), put('b', '10.0.0.1')]);
  const [one, other] = [writer.change([put('a', '10.0.0.2')]), writer.change([put('b', '10.0.0.3')])];
  await end(0);
  await end(1, ['a']);
  await end(2);
  expect(await one).toEqual(['a']);
  expect(await other).toEqual([]);
});

it('lets a refusal be felt by whoever caused it, and by nobody else', async () => {
  const writer = gatherChanges(async (changes) => {
    await new Promise((resolve) => setImmediate(resolve));
    const isBad = changes.some((change) => change.put.some(({ address }) => address === 'bad'));
    if (isBad) throw new PassedThroughError(400, 'that is no address');
    return [];
  });
  const done = await Promise.allSettled(
    ['10.0.0.1', '10.0.0.2', 'bad', '10.0.0.3'].map((it) => writer.change([put('a', it)])),
  );
  expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
});

it('tells all of them that the cloud is away, and goes on', async () => {
  const { writer, begun, end, fail } = aCloud();
  void writer.change([put('a', '10.0.0.1')]);
  const waiting = [2, 3].map((it) => writer.change([put('a', `10.0.0.${it}`)]));
  const told = Promise.allSettled(waiting);
  await end(0);
  await fail(1, new UnavailableError('away'));
  expect((await told).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(begun).toHaveLength(2);
  const later = writer.change([put('a', '10.0.0.4')]);
  await end(2);
  expect(await later).toEqual([]);
});

it('takes the last word on an address', () => {
  expect(
    mergeChanges([put('a', '10.0.0.1'), remove('a', '10.0.0.1'), remove('a', '10.0.0.2'), put('a', '10.0.0.2')]),
  ).toEqual([{ portId: 'a', put: [{ address: '10.0.0.2', mode: 'active-active' }], remove: ['10.0.0.1'] }]);
});
