import { DEFAULT_GROUP_PROPERTIES } from '../../driver/domain/group';
import {
  chooseEngines,
  type EngineCandidate,
  type EngineDemand,
  type GroupLimits,
  rolesForNew,
  vnicKey,
} from '../../driver/domain/placement';
import { readService } from '../../driver/domain/placementDemand';

const WARM = [vnicKey(null, 'net')];

function engine(id: string, given: Partial<EngineCandidate> = {}): EngineCandidate {
  return {
    id,
    status: 'READY',
    deleting: false,
    connected: true,
    slots: 10,
    slotsUsed: 0,
    host: null,
    zone: null,
    computeFlavor: null,
    imageTag: null,
    projectId: null,
    ownerProjectId: null,
    perApp: false,
    vnics: [],
    ...given,
  };
}

function demand(given: Partial<EngineDemand> = {}): EngineDemand {
  const kind = { perApp: false, zone: null, computeFlavor: null, imageTag: null, ownerProjectId: null };
  return { projectId: 'mine', ...kind, vnics: WARM, ...given };
}

const request = { count: 1, demand: demand(), occupied: [], staying: [] };
const packed: GroupLimits = DEFAULT_GROUP_PROPERTIES;
const distributed: GroupLimits = { ...packed, maxEngines: 3, algorithm: 'distributed' };
const FOUND = { newEngines: 0, missing: 0, reason: null, sharesHost: false };

describe('chooseEngines', () => {
  it('packs: the fullest engine that has room', () => {
    const engines = [engine('a', { slotsUsed: 1 }), engine('b', { slotsUsed: 9 }), engine('c', { slotsUsed: 10 })];
    expect(chooseEngines(request, engines, packed)).toEqual({ ...FOUND, engineIds: ['b'] });
  });

  it('prefers a warm engine to a fuller one, and one that is up to one that is being built', () => {
    const engines = [
      engine('building', { status: 'BUILDING', connected: false, slotsUsed: 9 }),
      engine('cold', { slotsUsed: 8 }),
      engine('warm', { vnics: WARM }),
    ];
    expect(chooseEngines({ ...request, count: 3 }, engines, packed).engineIds).toEqual(['warm', 'cold', 'building']);
  });

  it('rather builds on an engine that is coming up than asks for another one', () => {
    const engines = [engine('b', { status: 'BUILDING', connected: false })];
    expect(chooseEngines(request, engines, packed)).toEqual({ ...FOUND, engineIds: ['b'] });
  });

  it('asks for an engine when none has room, and says so when the group may not grow', () => {
    const full = [engine('a', { slotsUsed: 10 })];
    expect(chooseEngines(request, full, packed)).toEqual({ ...FOUND, engineIds: [], newEngines: 1 });
    expect(chooseEngines(request, full, { ...packed, maxEngines: 1 })).toEqual({
      ...FOUND,
      engineIds: [],
      missing: 1,
      reason: 'group full: 1 of 1 engines, 10 of 10 slots',
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

  it('distributed over a group that is grown to its bounds, it uses every engine rather than refuse', () => {
    const three = [engine('a', { slotsUsed: 1 }), engine('b', { slotsUsed: 2 })];
    expect(chooseEngines({ ...request, count: 3 }, three, distributed)).toEqual({
      ...FOUND,
      engineIds: ['a', 'b'],
      newEngines: 1,
    });
  });
});

describe('hosts', () => {
  const on = (id: string, host: string, slotsUsed = 0) => engine(id, { host, slotsUsed });
  const two = { ...request, count: 2 };

  it('keeps the engines of one load balancer on different hosts, also where a fuller engine is beside', () => {
    const engines = [on('a', 'h1', 9), on('b', 'h1', 8), on('c', 'h2', 1)];
    expect(chooseEngines(two, engines, packed)).toEqual({ ...FOUND, engineIds: ['a', 'c'] });
    expect(chooseEngines({ ...request, occupied: ['a'], staying: ['a'] }, engines, packed).engineIds).toEqual(['c']);
  });

  it('does not count the host of an engine that is to lose it', () => {
    const engines = [on('a', 'h1', 9), on('b', 'h1', 8), on('c', 'h2', 1)];
    expect(chooseEngines({ ...request, occupied: ['a'] }, engines, packed).engineIds).toEqual(['b']);
  });

  it('has an engine made when a host is known that is not in use, or none is known to be missing', () => {
    const fullBeside = [on('a', 'h1'), on('b', 'h1'), on('c', 'h2', 10)];
    expect(chooseEngines(two, fullBeside, packed)).toEqual({ ...FOUND, engineIds: ['a'], newEngines: 1 });
    expect(chooseEngines(two, [on('a', 'h1')], packed)).toEqual({ ...FOUND, engineIds: ['a'], newEngines: 1 });
  });

  it('shares a host, and says so, when engines on one host show that there is no other', () => {
    const single = [on('a', 'h1'), on('b', 'h1')];
    expect(chooseEngines(two, single, packed)).toEqual({ ...FOUND, engineIds: ['a', 'b'], sharesHost: true });
  });

  it('does not take a host of another zone, or one whose engines are down, for one that could be had', () => {
    const zoned = { ...two, demand: demand({ zone: 'east' }) };
    const elsewhere = [
      engine('w', { host: 'h2', zone: 'west' }),
      engine('d', { host: 'h3', zone: 'east', status: 'DOWN' }),
    ];
    const east = ['a', 'b'].map((id) => engine(id, { host: 'h1', zone: 'east' }));
    expect(chooseEngines(zoned, [...east, ...elsewhere], packed)).toEqual({
      ...FOUND,
      engineIds: ['a', 'b'],
      sharesHost: true,
    });
  });

  it('shares a host when the group may not grow', () => {
    const engines = [on('a', 'h1'), on('b', 'h1'), on('c', 'h2', 10)];
    const choice = chooseEngines(two, engines, { ...packed, maxEngines: 3 });
    expect(choice).toEqual({ ...FOUND, engineIds: ['a', 'b'], sharesHost: true });
  });

  it('does not look at hosts where the group does not ask for it', () => {
    const limits = { ...packed, hostRedundancy: false };
    expect(chooseEngines(two, [on('a', 'h1'), on('b', 'h1')], limits)).toEqual({ ...FOUND, engineIds: ['a', 'b'] });
  });
});

describe('who may be on an engine', () => {
  const last: GroupLimits = { ...packed, maxEngines: 1 };

  it.each<[what: string, Partial<EngineCandidate>, Partial<EngineDemand>, Partial<GroupLimits>]>([
    ['serving another project', { slotsUsed: 1, projectId: 'theirs' }, {}, { tenancy: 'exclusive' }],
    ['serving another project', { slotsUsed: 2, projectId: null }, {}, { tenancy: 'exclusive' }],
    ['serving another project', { slotsUsed: 1, projectId: 'theirs' }, {}, { tenancy: 'tenant' }],
    ['in another project', { ownerProjectId: 'theirs' }, { ownerProjectId: 'mine' }, { tenancy: 'tenant' }],
    ['in another project', {}, { ownerProjectId: 'mine' }, { tenancy: 'tenant' }],
    ['in another project', { ownerProjectId: 'mine' }, {}, {}],
    ['in another availability zone', { zone: 'a' }, { zone: 'b' }, {}],
    ['in another availability zone', {}, { zone: 'b' }, {}],
    ['of another compute flavor', {}, { computeFlavor: 'big' }, {}],
    ['of another compute flavor', { computeFlavor: 'big' }, {}, {}],
    ['of another image', { imageTag: 'old' }, { imageTag: 'new' }, {}],
    ['serving load balancers that share engines', { slotsUsed: 1 }, { perApp: true }, {}],
    ['serving load balancers with engines of their own', { slotsUsed: 1, perApp: true }, {}, {}],
    ['without a vNIC to spare', { vnics: ['a', 'b'] }, {}, { maxVnics: 3 }],
    ['on the way out', { status: 'DRAINING' }, {}, {}],
    ['down', { status: 'DOWN' }, {}, {}],
    ['cut from its network', { cutFrom: ['x'], vnics: [...WARM, 'x/x'] }, { vnics: ['x/x', 'x/members'] }, {}],
    ['cut from its network', { cutFrom: ['x'], vnics: ['x/x', 'x/members'] }, {}, {}],
    ['cut from its network', { cutFrom: ['x'] }, {}, {}],
  ])('%s: not %j for %j in %j', (what, given, asked, limits) => {
    const choice = chooseEngines({ ...request, demand: demand(asked) }, [engine('a', given)], { ...last, ...limits });
    expect(choice).toMatchObject({ engineIds: [], newEngines: 0, missing: 1 });
    expect(choice.reason).toContain(`of its engines 1 ${what}`);
  });

  it.each<[Partial<EngineCandidate>, Partial<EngineDemand>, Partial<GroupLimits>]>([
    [{ slotsUsed: 1, projectId: 'mine' }, {}, { tenancy: 'exclusive' }],
    [{ slotsUsed: 0, projectId: 'theirs' }, {}, { tenancy: 'exclusive' }],
    [{ ownerProjectId: 'mine' }, { ownerProjectId: 'mine' }, { tenancy: 'tenant' }],
    [{ slotsUsed: 1, projectId: 'theirs' }, {}, {}],
    [{ zone: 'a' }, {}, {}],
    [{ computeFlavor: 'big' }, { computeFlavor: 'big' }, {}],
    [{ slotsUsed: 1, perApp: true }, { perApp: true }, {}],
    [{ slotsUsed: 1 }, { perApp: true }, { perApp: true }],
    [{ vnics: [...WARM, 'b', 'c', 'd'] }, {}, { maxVnics: 3 }],
    [{ cutFrom: ['x'], vnics: [...WARM, 'x/x'] }, {}, {}],
  ])('%j for %j in %j', (given, asked, limits) => {
    const choice = chooseEngines({ ...request, demand: demand(asked) }, [engine('a', given)], { ...last, ...limits });
    expect(choice).toMatchObject({ engineIds: ['a'], missing: 0 });
  });

  it('gives two load balancers an engine of few, whatever slots it has', () => {
    const used = (slotsUsed: number) => [engine('a', { slotsUsed, perApp: true })];
    const own = { ...request, demand: demand({ perApp: true }) };
    expect(chooseEngines(own, used(1), last).engineIds).toEqual(['a']);
    expect(chooseEngines(own, used(2), last).reason).toBe('group full: 1 of 1 engines, 2 of 2 slots');
    expect(chooseEngines(request, used(2), { ...last, perApp: true }).missing).toBe(1);
  });

  it('makes no engine for what none could be plugged into', () => {
    const wide = { ...request, demand: demand({ vnics: ['a', 'b', 'c'] }) };
    expect(chooseEngines(wide, [], { ...packed, maxVnics: 3 })).toMatchObject({
      newEngines: 0,
      missing: 1,
      reason: 'it needs 3 networks, and an engine has 3 vNICs, one of them for management',
    });
  });
});

describe('readService', () => {
  const group = { haMode: 'n_plus_m', minScaleout: 1, maxScaleout: 4, maxEngines: 10 } as const;
  const read = (wishes: object, given: object = {}) =>
    readService({ topology: 'SINGLE', flavor: {}, zone: {}, ...wishes }, { ...group, ...given });

  it.each([
    ['SINGLE', {}, {}, 'n_plus_m', 1],
    ['SINGLE', {}, { minScaleout: 2 }, 'n_plus_m', 2],
    ['SINGLE', {}, { haMode: 'active_active' }, 'active_active', 2],
    ['SINGLE', {}, { haMode: 'active_active', minScaleout: 3 }, 'active_active', 3],
    ['SINGLE', {}, { haMode: 'active_standby', minScaleout: 3 }, 'active_standby', 2],
    ['SINGLE', { loadbalancer_topology: 'SINGLE' }, { haMode: 'active_active' }, 'n_plus_m', 1],
    ['SINGLE', { loadbalancer_topology: 'SINGLE' }, { minScaleout: 2 }, 'n_plus_m', 1],
    ['ACTIVE_STANDBY', {}, {}, 'active_standby', 2],
    ['ACTIVE_STANDBY', {}, { maxScaleout: 1 }, 'active_standby', 2],
    ['ACTIVE_STANDBY', {}, { maxEngines: 1 }, 'active_standby', 1],
    ['ACTIVE_STANDBY', { ha_mode: 'active_active' }, {}, 'active_active', 2],
    ['SINGLE', { scaleout: 3 }, { minScaleout: 2 }, 'n_plus_m', 3],
    ['SINGLE', { scaleout: 1 }, { minScaleout: 2 }, 'n_plus_m', 1],
    ['SINGLE', { scaleout: 9 }, {}, 'n_plus_m', 4],
    ['SINGLE', {}, { maxEngines: 0 }, 'n_plus_m', 1],
  ])('%s with flavor %j in a group of %j is %s on %i', (topology, flavor, given, haMode, engines) => {
    expect(read({ topology, flavor }, given)).toMatchObject({ haMode, engines });
  });

  it('says when the group allows less than the flavor asks for', () => {
    expect(read({ flavor: { scaleout: 5 } }).bounded).toBe(true);
    expect(read({ flavor: { scaleout: 4 } }).bounded).toBe(false);
  });

  it('reads what engines are to be made of', () => {
    const flavor = { compute_flavor: 'big', amp_image_tag: 'new', per_app: true };
    expect(read({ flavor, zone: { compute_zone: 'east' } })).toMatchObject({
      perApp: true,
      zone: 'east',
      computeFlavor: 'big',
      imageTag: 'new',
    });
    expect(read({})).toMatchObject({ perApp: false, zone: null, computeFlavor: null, imageTag: null });
  });
});

describe('rolesForNew', () => {
  it('has newcomers to a pair wait whose master was granted a term: that one may go on unseen', () => {
    expect(rolesForNew(2, { kept: [], haMode: 'active_standby', isGranted: true })).toEqual(['standby', 'standby']);
    expect(rolesForNew(1, { kept: ['standby'], haMode: 'active_standby', isGranted: true })).toEqual(['standby']);
    expect(rolesForNew(1, { kept: [], haMode: 'n_plus_m', isGranted: true })).toEqual(['primary']);
  });

  it('the first of all is primary, the others share or wait', () => {
    expect(rolesForNew(3, { kept: [], haMode: 'n_plus_m', isGranted: false })).toEqual([
      'primary',
      'secondary',
      'secondary',
    ]);
    expect(rolesForNew(2, { kept: [], haMode: 'active_standby', isGranted: false })).toEqual(['primary', 'standby']);
  });

  it('who takes over from the primary is primary', () => {
    expect(rolesForNew(1, { kept: [], haMode: 'n_plus_m', isGranted: false })).toEqual(['primary']);
    expect(rolesForNew(1, { kept: ['standby'], haMode: 'active_standby', isGranted: false })).toEqual(['primary']);
    expect(rolesForNew(1, { kept: ['primary'], haMode: 'active_standby', isGranted: false })).toEqual(['standby']);
  });
});
