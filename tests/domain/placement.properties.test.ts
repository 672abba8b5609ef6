import fc from 'fast-check';
import { DEFAULT_GROUP_PROPERTIES, type GroupProperties, PER_APP_SLOTS } from '../../driver/domain/group';
import { chooseEngines, vnicKey } from '../../driver/domain/placement';
import { obstacleFor } from '../../driver/domain/placementRules';
import { type Chosen, FleetModel, type ModelLoadBalancer } from '../support/fleetModel';

/** Thousands of fleets, each with a life: load balancers come and go, engines and hosts are lost, groups are changed. */

const group: fc.Arbitrary<GroupProperties> = fc
  .record({
    haMode: fc.constantFrom('n_plus_m' as const, 'active_active' as const, 'active_standby' as const),
    algorithm: fc.constantFrom('packed' as const, 'distributed' as const),
    minEngines: fc.nat(2),
    maxEngines: fc.nat(7),
    slotsPerEngine: fc.integer({ min: 1, max: 5 }),
    bufferEngines: fc.nat(2),
    minScaleout: fc.integer({ min: 1, max: 3 }),
    maxScaleout: fc.integer({ min: 1, max: 4 }),
    perApp: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
    hostRedundancy: fc.boolean(),
    tenancy: fc.constantFrom('shared' as const, 'exclusive' as const, 'tenant' as const),
    maxVnics: fc.integer({ min: 2, max: 5 }),
  })
  .map((given) => ({ ...DEFAULT_GROUP_PROPERTIES, ...given }));

const network = (domain: string) =>
  fc.subarray(['m1', 'm2', 'm3']).map((members) => [domain, ...members].map((it) => vnicKey(domain, it)));
const wish = fc.record({
  projectId: fc.constantFrom('p1', 'p2', 'p3'),
  topology: fc.constantFrom('SINGLE', 'SINGLE', 'ACTIVE_STANDBY'),
  flavor: fc.constantFrom({}, {}, {}, { per_app: true }, { scaleout: 2 }, { compute_flavor: 'big' }),
  zone: fc.constantFrom(null, null, null, 'east'),
  vnics: fc.constantFrom('n1', 'n2').chain(network),
});

type Happening =
  | { readonly what: 'create'; readonly wish: Omit<ModelLoadBalancer, 'id' | 'on'> }
  | { readonly what: 'change'; readonly group: GroupProperties }
  | {
      readonly what: 'delete' | 'run' | 'down' | 'up' | 'drain' | 'gone' | 'build' | 'hostLost' | 'housekeeping';
      readonly which: number;
    };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 8, arbitrary: wish.map((it) => ({ what: 'create' as const, wish: it })) },
  { weight: 1, arbitrary: group.map((it) => ({ what: 'change' as const, group: it })) },
  {
    weight: 10,
    arbitrary: fc.record({
      what: fc.constantFrom(
        'delete',
        'run',
        'down',
        'up',
        'drain',
        'gone',
        'build',
        'build',
        'hostLost',
        'housekeeping',
      ),
      which: fc.nat(50),
    }),
  },
);

const life = fc.record({
  group,
  hosts: fc.integer({ min: 1, max: 4 }).map((count) => Array.from({ length: count }, (_, index) => `host-${index}`)),
  happenings: fc.array(happening, { minLength: 1, maxLength: 40 }),
});

/** Applies one happening; gives the choices that came of it. */
function apply(model: FleetModel, it: Happening): Chosen[] {
  const pick = <T>(all: Iterable<T>, which: number): T | undefined => {
    const list = [...all];
    return list[which % Math.max(1, list.length)];
  };
  if (it.what === 'change') {
    model.group = it.group;
    return [];
  }
  if (it.what === 'create') {
    const lb = { ...it.wish, id: `lb-${model.loadBalancers.size}-${model.engines.size}`, on: new Set<string>() };
    while (model.loadBalancers.has(lb.id)) lb.id += 'x';
    model.loadBalancers.set(lb.id, lb);
    return [model.run(lb) ?? []].flat();
  }
  const engine = pick(model.engines.values(), it.which);
  const lb = pick(model.loadBalancers.values(), it.which);
  switch (it.what) {
    case 'delete':
      if (lb) model.loadBalancers.delete(lb.id);
      return [];
    case 'run':
      return lb ? [model.run(lb) ?? []].flat() : [];
    case 'housekeeping': {
      model.keepFleet();
      return [];
    }
    case 'hostLost':
      for (const on of model.engines.values()) if (engine?.host && on.host === engine.host) on.status = 'DOWN';
      return [];
    case 'down':
      if (engine?.status === 'READY') engine.status = 'DOWN';
      return [];
    case 'up':
      if (engine?.status === 'DOWN') engine.status = 'READY';
      return [];
    case 'drain':
      if (engine) {
        engine.deleting = true;
        engine.status = 'DRAINING';
      }
      return [];
    case 'gone':
      if (engine) model.remove(engine.id);
      return [];
    case 'build':
      if (engine) model.build(engine);
      return [];
  }
}

/** Runs a whole life and looks at every choice as soon as it was made. */
function live(
  { group: first, hosts, happenings }: { group: GroupProperties; hosts: string[]; happenings: Happening[] },
  look: (chosen: Chosen, model: FleetModel) => void,
): FleetModel {
  const model = new FleetModel(first, hosts);
  for (const it of happenings) for (const chosen of apply(model, it)) look(chosen, model);
  return model;
}

/** Always the same lives, so that what passes once passes everywhere; SEED looks at others. */
const RUNS = { numRuns: 1_000, seed: Number(process.env['SEED'] ?? 6) };

it('never puts a load balancer where a rule forbids it', () => {
  fc.assert(
    fc.property(life, (given) => {
      live(given, ({ lb, request, before, choice }, { group: rules, engines }) => {
        expect(choice.engineIds.length + choice.newEngines + choice.missing).toBe(request.count);
        expect(new Set(choice.engineIds).size).toBe(choice.engineIds.length);
        for (const id of choice.engineIds) {
          const seen = before.find((it) => it.id === id);
          expect(seen).toMatchObject({ deleting: false, status: expect.stringMatching(/^(READY|BUILDING)$/) });
          expect(request.occupied).not.toContain(id);
          expect(seen?.slotsUsed).toBeLessThan(seen?.slots ?? 0);
          const { perApp, computeFlavor, zone } = request.demand;
          if (perApp || rules.perApp) expect(seen?.slotsUsed).toBeLessThan(PER_APP_SLOTS);
          if (seen?.slotsUsed && !rules.perApp) expect(seen.perApp).toBe(perApp);
          if (seen?.slotsUsed && rules.tenancy !== 'shared') expect(seen.projectId).toBe(lb.projectId);
          expect(seen?.ownerProjectId).toBe(rules.tenancy === 'tenant' ? lb.projectId : null);
          expect(seen?.computeFlavor).toBe(computeFlavor);
          if (zone !== null) expect(seen?.zone).toBe(zone);
          const vnics = engines.get(id)?.vnics.size ?? 0;
          if (vnics > (seen?.vnics.length ?? 0)) expect(vnics).toBeLessThan(rules.maxVnics);
        }
      });
    }),
    RUNS,
  );
});

it('never makes more engines than the group may have, and never leaves anybody without one that could be had', () => {
  fc.assert(
    fc.property(life, (given) => {
      live(given, ({ request, before, choice }, { group: rules }) => {
        const present = before.filter(({ deleting }) => !deleting).length;
        if (choice.newEngines > 0) expect(present + choice.newEngines).toBeLessThanOrEqual(rules.maxEngines);
        expect(choice.reason === null).toBe(choice.missing === 0);
        if (choice.missing === 0) return;
        const left = before.filter(
          (it) =>
            !request.occupied.includes(it.id) &&
            !choice.engineIds.includes(it.id) &&
            obstacleFor(it, request.demand, rules) === null,
        );
        expect(left).toEqual([]);
        const fits = request.demand.vnics.length < rules.maxVnics;
        if (fits) expect(present + choice.newEngines).toBeGreaterThanOrEqual(rules.maxEngines);
      });
    }),
    RUNS,
  );
});

it('puts engines of one load balancer on one host only where no other engine or host can be had, and says so', () => {
  fc.assert(
    fc.property(life, (given) => {
      live(given, ({ request, before, choice }, { group: rules }) => {
        const hostOf = (id: string) => before.find((it) => it.id === id)?.host ?? null;
        const hosts = [...request.staying, ...choice.engineIds].map(hostOf);
        const addsShared = choice.engineIds.some((id, index) => {
          const others = [...request.staying, ...choice.engineIds.slice(0, index)].map(hostOf);
          return hostOf(id) !== null && others.includes(hostOf(id));
        });
        expect(choice.sharesHost).toBe(rules.hostRedundancy && addsShared);
        if (!choice.sharesHost) return;
        const unused = before.filter(
          (it) =>
            it.host !== null &&
            !hosts.includes(it.host) &&
            !request.occupied.includes(it.id) &&
            obstacleFor(it, request.demand, rules) === null,
        );
        expect(unused).toEqual([]);
      });
    }),
    RUNS,
  );
});

it('is stable: what was chosen is chosen again by nobody, whatever happens to others', () => {
  fc.assert(
    fc.property(life, wish, (given, other) => {
      const model = live(given, ({ lb, choice }, now) => {
        if (choice.missing > 0) return;
        const before = new Set(lb.on);
        expect(now.run(lb)).toBeUndefined();
        expect(lb.on).toEqual(before);
      });
      const before = [...model.loadBalancers.values()].map(({ id, on }) => [id, [...on]]);
      apply(model, { what: 'create', wish: other });
      apply(model, { what: 'housekeeping', which: 0 });
      const after = [...model.loadBalancers.values()].map(({ id, on }) => [id, [...on]]);
      const ghosts = [...model.engines.values()].filter(({ status }) => status === 'GHOST');
      expect(ghosts).toEqual([]);
      expect(after.slice(0, before.length)).toEqual(before);
    }),
    RUNS,
  );
});

it('does not depend on the order in which engines are listed', () => {
  fc.assert(
    fc.property(life, (given) => {
      live(given, ({ request, before, choice }, { group: rules }) => {
        expect(chooseEngines(request, [...before].reverse(), rules)).toEqual(choice);
      });
    }),
    RUNS,
  );
});

it('keeps the buffer free, or has grown as far as it may', () => {
  fc.assert(
    fc.property(life, (given) => {
      const rules: GroupProperties = { ...given.group, tenancy: 'shared' };
      const happenings = given.happenings.filter(({ what }) => what !== 'change');
      const model = live({ ...given, group: rules, happenings }, () => undefined);
      model.keepFleet();
      const present = model.candidates().filter(({ deleting }) => !deleting);
      const kind = { perApp: false, zone: null, computeFlavor: null, imageTag: null, ownerProjectId: null };
      const ordinary = { projectId: 'new', ...kind, vnics: [] };
      const free = present
        .filter((it) => obstacleFor(it, ordinary, { ...rules, maxVnics: 99 }) === null)
        .reduce((sum, it) => sum + (rules.perApp ? Math.min(PER_APP_SLOTS, it.slots) : it.slots) - it.slotsUsed, 0);
      const slots = rules.perApp ? Math.min(PER_APP_SLOTS, rules.slotsPerEngine) : rules.slotsPerEngine;
      if (free < rules.bufferEngines * slots) expect(present.length).toBeGreaterThanOrEqual(rules.maxEngines);
      expect(model.keepFleet()).toBe(0);
    }),
    RUNS,
  );
});

it('packed, uses no more engines than the load balancers need slots', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(30), fc.nat(3), (slotsPerEngine, count, spare) => {
      const rules = { ...DEFAULT_GROUP_PROPERTIES, slotsPerEngine, maxEngines: 40, minEngines: spare };
      const model = new FleetModel(rules, ['host']);
      model.keepFleet();
      for (let index = 0; index < count; index += 1) {
        const given = { projectId: 'p', topology: 'SINGLE', flavor: {}, zone: null, vnics: [vnicKey('n', 'n')] };
        apply(model, { what: 'create', wish: given });
        for (const engine of model.engines.values()) model.build(engine);
      }
      const used = model.candidates().filter(({ slotsUsed }) => slotsUsed > 0);
      expect(used).toHaveLength(Math.ceil(count / slotsPerEngine));
      expect(model.engines.size).toBe(Math.max(spare, used.length));
    }),
    { ...RUNS, numRuns: 300 },
  );
});
