import fc from 'fast-check';
import { diff, type Kind, runStages, stageOf } from '../../driver/reconcile/kind';

interface Thing {
  readonly key: string;
  readonly value: number;
}

/** A cloud that is a map, and a kind over it. */
function aKind(name: string, cloud: Map<string, number>, told: string[] = []): Kind<Thing, readonly Thing[], null> {
  return {
    name,
    key: ({ key }) => key,
    desired: (target) => target,
    observed: async () => [...cloud].map(([key, value]) => ({ key, value })),
    same: (want, have) => want.value === have.value,
    put: async ({ key, value }) => {
      told.push(`${name} put ${key}`);
      cloud.set(key, value);
    },
    remove: async ({ key }) => {
      told.push(`${name} remove ${key}`);
      cloud.delete(key);
    },
  };
}

const things = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat(3))
  .map((it) => Object.entries(it).map(([key, value]) => ({ key, value })));

describe('diff', () => {
  it('adds what is lacking, changes what differs, removes what is not wanted, and nothing else', () => {
    const kind = aKind('thing', new Map());
    const want = [
      { key: 'new', value: 1 },
      { key: 'same', value: 2 },
      { key: 'other', value: 3 },
    ];
    const have = [
      { key: 'same', value: 2 },
      { key: 'other', value: 9 },
      { key: 'old', value: 4 },
    ];
    expect(diff(kind, want, have)).toEqual([
      { kind: 'remove', item: { key: 'old', value: 4 } },
      { kind: 'put', item: { key: 'new', value: 1 }, have: undefined },
      { kind: 'put', item: { key: 'other', value: 3 }, have: { key: 'other', value: 9 } },
    ]);
  });

  it('its steps lead from whatever there is to what is wanted, and then there is nothing more to do', async () => {
    await fc.assert(
      fc.asyncProperty(things, things, async (want, have) => {
        const cloud = new Map(have.map(({ key, value }) => [key, value]));
        const stage = stageOf(aKind('thing', cloud));
        const work = { target: want, clouds: null, before: () => undefined };
        await runStages([stage], work);
        expect(cloud).toEqual(new Map(want.map(({ key, value }) => [key, value])));
        expect(await runStages([stage], work)).toBe(0);
      }),
    );
  });

  it('a run that breaks off anywhere is finished by the next one', async () => {
    await fc.assert(
      fc.asyncProperty(things, things, fc.nat(8), async (want, have, breaksAt) => {
        const cloud = new Map(have.map(({ key, value }) => [key, value]));
        const stage = stageOf(aKind('thing', cloud));
        let steps = 0;
        const before = (): void => {
          steps += 1;
          if (steps > breaksAt) throw new Error('broken off');
        };
        await runStages([stage], { target: want, clouds: null, before }).catch(() => undefined);
        await runStages([stage], { target: want, clouds: null, before: () => undefined });
        expect(cloud).toEqual(new Map(want.map(({ key, value }) => [key, value])));
      }),
    );
  });
});

describe('runStages', () => {
  it('makes things in their order and takes them away in the reverse one', async () => {
    const told: string[] = [];
    const stages = [
      stageOf(aKind('first', new Map([['x', 1]]), told)),
      stageOf(aKind('second', new Map([['x', 1]]), told)),
    ];
    await runStages(stages, { target: [{ key: 'y', value: 1 }], clouds: null, before: () => undefined });
    expect(told).toEqual(['first put y', 'second put y', 'second remove x', 'first remove x']);
  });
});
