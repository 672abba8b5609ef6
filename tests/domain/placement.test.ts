import fc from 'fast-check';
import { chooseEngines, type EngineCandidate, rolesForNew, wantedEngines } from '../../driver/domain/placement';

function engine(id: string, given: Partial<EngineCandidate> = {}): EngineCandidate {
  return {
    id,
    status: 'READY',
    deleting: false,
    connected: true,
    slots: 10,
    slotsUsed: 0,
    networkIds: [],
    ...given,
  };
}

const request = { count: 1, networkId: 'net', occupied: [] };
const packed = { maxEngines: 10, algorithm: 'packed' } as const;
const distributed = { maxEngines: 3, algorithm: 'distributed' } as const;

describe('chooseEngines', () => {
  it('packs: the fullest engine that has room', () => {
    const engines = [engine('a', { slotsUsed: 1 }), engine('b', { slotsUsed: 9 }), engine('c', { slotsUsed: 10 })];
    expect(chooseEngines(request, engines, packed)).toEqual({ engineIds: ['b'], newEngines: 0, missing: 0 });
  });

  it('prefers a warm engine to a fuller one, and one that is up to one that is being built', () => {
    const engines = [
      engine('building', { status: 'BUILDING', connected: false, slotsUsed: 9 }),
      engine('cold', { slotsUsed: 8 }),
      engine('warm', { networkIds: ['net'] }),
    ];
    expect(chooseEngines({ ...request, count: 3 }, engines, packed).engineIds).toEqual(['warm', 'cold', 'building']);
  });

  it('rather builds on an engine that is coming up than asks for another one', () => {
    const engines = [engine('b', { status: 'BUILDING', connected: false })];
    expect(chooseEngines(request, engines, packed)).toEqual({ engineIds: ['b'], newEngines: 0, missing: 0 });
  });

  it('asks for an engine when none has room, and says so when the group may not grow', () => {
    const full = [engine('a', { slotsUsed: 10 })];
    expect(chooseEngines(request, full, packed)).toEqual({ engineIds: [], newEngines: 1, missing: 0 });
    expect(chooseEngines(request, full, { ...packed, maxEngines: 1 })).toEqual({
      engineIds: [],
      newEngines: 0,
      missing: 1,
    });
  });

  it('an engine that goes makes room for another one', () => {
    const engines = [engine('a', { deleting: true })];
    expect(chooseEngines(request, engines, { ...packed, maxEngines: 1 }).newEngines).toBe(1);
  });

  it('distributes: new engines first, then the least loaded', () => {
    const two = [engine('a', { slotsUsed: 1 }), engine('b', { slotsUsed: 2 })];
    expect(chooseEngines(request, two, distributed)).toMatchObject({ engineIds: [], newEngines: 1 });
    const three = [...two, engine('c', { slotsUsed: 3 })];
    expect(chooseEngines(request, three, distributed)).toMatchObject({ engineIds: ['a'], newEngines: 0 });
  });

  const candidate = fc.record({
    id: fc.uuid(),
    status: fc.constantFrom('BUILDING', 'READY', 'DRAINING', 'DELETING', 'DOWN', 'GHOST'),
    deleting: fc.boolean(),
    connected: fc.boolean(),
    slots: fc.nat(5),
    slotsUsed: fc.nat(5),
    networkIds: fc.subarray(['net', 'other']),
  }) satisfies fc.Arbitrary<EngineCandidate>;
  const engines = fc.uniqueArray(candidate, { selector: ({ id }) => id, maxLength: 12 });
  const limits = fc.record({ maxEngines: fc.nat(8), algorithm: fc.constantFrom('packed', 'distributed') } as const);

  it('never over-commits, never doubles, never exceeds the group, and always answers for the whole request', () => {
    fc.assert(
      fc.property(engines, limits, fc.nat(6), fc.nat(12), (fleet, bounds, count, taken) => {
        const occupied = fleet.slice(0, taken).map(({ id }) => id);
        const choice = chooseEngines({ count, networkId: 'net', occupied }, fleet, bounds);
        expect(choice.engineIds.length + choice.newEngines + choice.missing).toBe(count);
        expect(new Set(choice.engineIds).size).toBe(choice.engineIds.length);
        for (const id of choice.engineIds) {
          const chosen = fleet.find((it) => it.id === id);
          expect(chosen).toMatchObject({ deleting: false });
          expect(['READY', 'BUILDING']).toContain(chosen?.status);
          expect(chosen?.slotsUsed).toBeLessThan(chosen?.slots ?? 0);
          expect(occupied).not.toContain(id);
        }
        const alive = fleet.filter(({ deleting }) => !deleting).length;
        if (choice.newEngines > 0) expect(alive + choice.newEngines).toBeLessThanOrEqual(bounds.maxEngines);
        if (choice.missing > 0) expect(alive + choice.newEngines).toBeGreaterThanOrEqual(bounds.maxEngines);
      }),
    );
  });

  it('does not depend on the order in which engines are listed', () => {
    fc.assert(
      fc.property(engines, limits, fc.nat(6), (fleet, bounds, count) => {
        const want = { count, networkId: 'net', occupied: [] };
        expect(chooseEngines(want, [...fleet].reverse(), bounds)).toEqual(chooseEngines(want, fleet, bounds));
      }),
    );
  });
});

describe('wantedEngines', () => {
  it.each([
    ['SINGLE', 1, 10, 1],
    ['SINGLE', 2, 10, 2],
    ['ACTIVE_STANDBY', 1, 10, 2],
    ['ACTIVE_STANDBY', 1, 1, 1],
    ['SINGLE', 1, 0, 1],
  ])('%s with a scale-out of %i in a group of %i gets %i', (topology, minScaleout, maxEngines, wanted) => {
    expect(wantedEngines(topology, { minScaleout, maxEngines })).toBe(wanted);
  });
});

describe('rolesForNew', () => {
  it('the first of all is primary, the others share or wait', () => {
    expect(rolesForNew(3, [], 'SINGLE')).toEqual(['primary', 'secondary', 'secondary']);
    expect(rolesForNew(2, [], 'ACTIVE_STANDBY')).toEqual(['primary', 'standby']);
  });

  it('who takes over from the primary is primary', () => {
    expect(rolesForNew(1, [], 'SINGLE')).toEqual(['primary']);
    expect(rolesForNew(1, ['standby'], 'ACTIVE_STANDBY')).toEqual(['primary']);
    expect(rolesForNew(1, ['primary'], 'ACTIVE_STANDBY')).toEqual(['standby']);
  });
});
