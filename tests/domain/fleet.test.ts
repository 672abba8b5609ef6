import type { Engine } from '../../driver/domain/engine';
import { planFleet, planTenantFleet } from '../../driver/domain/fleet';
import { DEFAULT_GROUP_PROPERTIES, readGroupProperties, slotsOfNewEngine } from '../../driver/domain/group';

const ENGINE: Engine = {
  id: 'e',
  groupId: 'g',
  name: 'e',
  status: 'READY',
  deleting: false,
  computeId: null,
  managementAddress: null,
  host: null,
  tokenHash: null,
  connectedTo: null,
  connectionEpoch: 0,
  slots: 10,
  slotsUsed: 0,
  generation: 1,
  settledGeneration: 1,
  attempts: 0,
  leaseEpoch: 0,
  unchangedFor: 0,
  availabilityZone: null,
  computeFlavor: null,
  imageTag: null,
  projectId: null,
  perApp: false,
  serverLaunchedAt: null,
  ownerProjectId: null,
};

function anEngine(changes: Partial<Engine>): Engine {
  return { ...ENGINE, ...changes };
}

const group = (changes = {}) => ({ ...DEFAULT_GROUP_PROPERTIES, minEngines: 2, maxEngines: 4, ...changes });

it('makes engines up to the minimum, and none beyond it', () => {
  expect(planFleet(group(), [])).toEqual({ add: 2, retire: [] });
  expect(planFleet(group(), [anEngine({ status: 'BUILDING' }), anEngine({ status: 'DOWN' })])).toEqual({
    add: 0,
    retire: [],
  });
});

it('does not count what is on its way out', () => {
  expect(planFleet(group(), [anEngine({ deleting: true, status: 'DRAINING' }), anEngine({})]).add).toBe(1);
});

it('replaces ghosts', () => {
  const engines = [anEngine({ id: 'ghost', status: 'GHOST' }), anEngine({})];

  expect(planFleet(group(), engines)).toEqual({ add: 1, retire: ['ghost'] });
  expect(planFleet(group(), [anEngine({ status: 'GHOST', deleting: true })])).toEqual({ add: 2, retire: [] });
});

it.each([
  [10, 10, 1],
  [10, 9, 1],
  [10, 0, 0],
])('keeps the slots of the buffer free: two engines with %i and %i used want %i more', (first, second, add) => {
  const engines = [anEngine({ slotsUsed: first }), anEngine({ slotsUsed: second })];

  expect(planFleet(group({ bufferEngines: 1 }), engines).add).toBe(add);
});

it('never passes the maximum', () => {
  const full = [1, 2, 3].map(() => anEngine({ slotsUsed: 10 }));

  expect(planFleet(group({ bufferEngines: 3 }), full).add).toBe(1);
});

it('reads a group with what is missing or senseless at its default', () => {
  expect(readGroupProperties({ maxEngines: 3, minEngines: -1, haMode: 'magic', algorithm: 'distributed' })).toEqual({
    ...DEFAULT_GROUP_PROPERTIES,
    maxEngines: 3,
    algorithm: 'distributed',
  });
  expect(readGroupProperties(null)).toEqual(DEFAULT_GROUP_PROPERTIES);
});

it('gives an engine of few load balancers two slots at most, and the buffer counts those', () => {
  const few = group({ perApp: true, bufferEngines: 1, minEngines: 0 });

  expect(slotsOfNewEngine(few)).toBe(2);
  expect(slotsOfNewEngine(group({ perApp: true, slotsPerEngine: 1 }))).toBe(1);
  expect(slotsOfNewEngine(group())).toBe(DEFAULT_GROUP_PROPERTIES.slotsPerEngine);
  expect(planFleet(few, [anEngine({ slots: 2, slotsUsed: 0 })]).add).toBe(0);
  expect(planFleet(few, [anEngine({ slots: 2, slotsUsed: 1 })]).add).toBe(1);
});

it('does not count slots that are for special load balancers to the buffer', () => {
  const free = { slotsUsed: 0 };
  const one = group({ bufferEngines: 1, minEngines: 0 });

  expect(planFleet(one, [anEngine(free)]).add).toBe(0);
  expect(planFleet(one, [anEngine({ ...free, computeFlavor: 'big' })]).add).toBe(1);
  expect(planFleet(one, [anEngine({ ...free, imageTag: 'old' })]).add).toBe(1);
  expect(planFleet(one, [anEngine({ slotsUsed: 1, perApp: true })]).add).toBe(1);
  expect(planFleet(one, [anEngine({ ...free, status: 'DRAINING' })]).add).toBe(1);
});

describe('with engines of one project at a time', () => {
  const exclusive = (changes = {}) =>
    group({ tenancy: 'exclusive', bufferEngines: 1, minEngines: 0, maxEngines: 9, ...changes });
  const of = (projectId: string | null, slotsUsed: number) => anEngine({ projectId, slotsUsed });

  it('keeps the buffer for each project that is served, and none for nobody', () => {
    expect(planFleet(exclusive(), []).add).toBe(0);
    expect(planFleet(exclusive(), [of('a', 1), of('b', 10)]).add).toBe(2);
    expect(planFleet(exclusive(), [of('a', 5), of('a', 5)]).add).toBe(0);
    expect(planFleet(exclusive({ bufferEngines: 0 }), [of('a', 10)]).add).toBe(0);
  });

  it('counts an engine that serves nobody once', () => {
    expect(planFleet(exclusive(), [of('a', 1), of('b', 10), of(null, 0)]).add).toBe(1);
    expect(planFleet(exclusive(), [of('a', 1), of(null, 0)]).add).toBe(0);
  });

  it('counts slots beside those of several projects for nobody', () => {
    expect(planFleet(exclusive(), [of('a', 10), of(null, 2)]).add).toBe(1);
  });
});

describe('with engines in the projects of their users', () => {
  const tenant = (changes = {}) =>
    group({ tenancy: 'tenant', bufferEngines: 1, minEngines: 3, maxEngines: 9, ...changes });
  const of = (ownerProjectId: string | null, slotsUsed: number, changes: Partial<Engine> = {}) =>
    anEngine({ ownerProjectId, projectId: slotsUsed > 0 ? ownerProjectId : null, slotsUsed, ...changes });

  it('makes none before a project has its first load balancer, whatever the minimum says', () => {
    expect(planTenantFleet(tenant(), [])).toEqual({ addIn: [], retire: [] });
    expect(planTenantFleet(tenant(), [of('a', 0)])).toEqual({ addIn: [], retire: [] });
  });

  it('keeps the buffer in each project that is served, by that project’s own engines', () => {
    expect(planTenantFleet(tenant(), [of('b', 10), of('a', 1)]).addIn).toEqual(['a', 'b']);
    expect(planTenantFleet(tenant(), [of('a', 5), of('a', 5), of('b', 1), of('b', 0)]).addIn).toEqual([]);
    expect(planTenantFleet(tenant(), [of('a', 10), of(null, 0), of('b', 0)]).addIn).toEqual(['a']);
    expect(planTenantFleet(tenant({ bufferEngines: 2 }), [of('a', 10)]).addIn).toEqual(['a', 'a']);
    expect(planTenantFleet(tenant({ bufferEngines: 0 }), [of('a', 10)]).addIn).toEqual([]);
  });

  it('stays below the maximum, and has ghosts replaced', () => {
    const ghost = of('a', 0, { id: 'ghost', status: 'GHOST' });
    expect(planTenantFleet(tenant({ maxEngines: 3 }), [of('a', 10), of('b', 10), ghost])).toEqual({
      addIn: ['a'],
      retire: ['ghost'],
    });
  });

  it('does not count them for the buffer of a group that has come to share its engines', () => {
    const shared = group({ bufferEngines: 1, minEngines: 0 });
    expect(planFleet(shared, [of('a', 0)]).add).toBe(1);
  });
});

it('does not count the free slots of an engine that is cut from its networks', () => {
  const buffered = group({ minEngines: 0, bufferEngines: 1 });
  const { slotsPerEngine: slots } = buffered;
  expect(planFleet(buffered, [anEngine({ slots })]).add).toBe(0);
  expect(planFleet(buffered, [anEngine({ slots, cutOff: true })]).add).toBe(1);
  expect(planFleet({ ...buffered, maxEngines: 1 }, [anEngine({ slots, cutOff: true })]).add).toBe(0);
});
