import { type GroupProperties, HA_MODES, type HaMode } from './group';

/** What a load balancer asks for by its topology, flavor and availability zone. Pure. */

/** What of a load balancer decides where it goes. `flavor` and `zone` are the data of the profiles; empty without. */
export interface Wishes {
  readonly topology: string;
  readonly flavor: Readonly<Record<string, unknown>>;
  readonly zone: Readonly<Record<string, unknown>>;
  /** What operators have scaled it by. */
  readonly adjustment?: number;
}

export interface Service {
  readonly haMode: HaMode;
  /** Engines it is to be on. */
  readonly engines: number;
  /** It asks for more than the group allows one load balancer. */
  readonly bounded: boolean;
  readonly perApp: boolean;
  readonly zone: string | null;
  readonly computeFlavor: string | null;
  readonly imageTag: string | null;
}

type Bounds = Pick<GroupProperties, 'haMode' | 'minScaleout' | 'maxScaleout' | 'maxEngines'>;

const PAIR = 2;

/** How a load balancer is to be served in the group. */
export function readService(wishes: Wishes, group: Bounds): Service {
  const { flavor, zone } = wishes;
  const haMode = haModeOf(wishes, group);
  const wanted = wantedEngines(wishes, group, haMode) + (haMode === 'active_standby' ? 0 : (wishes.adjustment ?? 0));
  const most = mostEngines(group, haMode);
  // A group that cannot have so many gives what it has: better served by fewer than not at all.
  const engines = Math.max(1, Math.min(wanted, most, group.maxEngines));
  return {
    haMode,
    engines,
    bounded: engines < wanted,
    perApp: flavor['per_app'] === true,
    zone: nameIn(zone['compute_zone']),
    computeFlavor: nameIn(flavor['compute_flavor']),
    imageTag: nameIn(flavor['image_tag']) ?? nameIn(flavor['amp_image_tag']),
  };
}

function mostEngines({ maxScaleout }: Bounds, haMode: HaMode): number {
  return haMode === 'n_plus_m' ? maxScaleout : Math.max(PAIR, maxScaleout);
}

/** How far a load balancer can be scaled by call, in engines. */
export interface ScaleBounds {
  /** Before anybody has scaled it. */
  readonly start: number;
  readonly least: number;
  readonly most: number;
  /** What sets the upper bound. */
  readonly mostBy: 'max_scaleout_per_vs' | 'max_se';
}

/** A pair is two engines, whatever is asked for; others go from what the group starts everybody on to what it allows. */
export function scaleBounds(wishes: Omit<Wishes, 'adjustment'>, group: Bounds): ScaleBounds {
  const haMode = haModeOf(wishes, group);
  const start = wantedEngines(wishes, group, haMode);
  if (haMode === 'active_standby') return { start, least: start, most: start, mostBy: 'max_scaleout_per_vs' };
  const most = mostEngines(group, haMode);
  const floor = haMode === 'active_active' ? Math.max(PAIR, group.minScaleout) : group.minScaleout;
  return {
    start,
    least: Math.max(1, Math.min(start, floor)),
    most: Math.min(most, group.maxEngines),
    mostBy: group.maxEngines < most ? 'max_se' : 'max_scaleout_per_vs',
  };
}

/** The flavor's word, else what the topology is another word for, else the group's. */
function haModeOf({ topology, flavor }: Wishes, group: Bounds): HaMode {
  const named = HA_MODES.find((mode) => mode === flavor['ha_mode']);
  if (named) return named;
  if (topology === 'ACTIVE_STANDBY') return 'active_standby';
  return asksForOne(flavor) ? 'n_plus_m' : group.haMode;
}

function wantedEngines({ flavor }: Wishes, group: Bounds, haMode: HaMode): number {
  const asked = flavor['scaleout'];
  const scaleout = typeof asked === 'number' && asked >= 1 ? asked : asksForOne(flavor) ? 1 : group.minScaleout;
  switch (haMode) {
    case 'active_standby':
      return PAIR;
    case 'active_active':
      return Math.max(PAIR, scaleout);
    case 'n_plus_m':
      return Math.max(1, scaleout);
  }
}

/** A flavor that says SINGLE means one engine; without a flavor it is only the default of the configuration. */
function asksForOne(flavor: Wishes['flavor']): boolean {
  return flavor['loadbalancer_topology'] === 'SINGLE';
}

function nameIn(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
