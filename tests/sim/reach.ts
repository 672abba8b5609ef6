import { vnicKey } from '../../driver/domain/placement';
import { type KnownReach, stateOfReach } from '../../driver/domain/reach';
import { hasData, isHeard, type SimEngine, type SimGroup, type SimReach, seeEachOther, type World } from './world';

/** What engines say of the VIP networks they are in, as the controllers keep it. A gateway answers whoever has its data network. */

/** Brings up to date what is kept of a group's engines, and gives that of those that are connected. */
/** Time alone may bring something about. */
export function isTroubled({ connected, cut, reach }: SimEngine): boolean {
  return connected && (cut || [...reach.values()].some(({ state }) => state === 'trouble'));
}

export function keepReach(world: World, group: SimGroup): KnownReach[] {
  const { engines } = group;
  if (isQuiet(world, group)) {
    for (const engine of engines.values()) noteWell(world, engine);
    return [];
  }
  const present = new Map<string, SimEngine[]>();
  for (const engine of engines.values()) {
    for (const network of networksOf(engine)) {
      const others = present.get(network);
      if (others) others.push(engine);
      else present.set(network, [engine]);
    }
  }
  return [...engines.values()]
    .filter((engine) => engine.connected && isHeard(world, engine))
    .flatMap((engine) => keep(world, engine, present));
}

/** Nothing is to be judged: most of the time. */
function isQuiet({ network: { side } }: World, { engines }: SimGroup): boolean {
  if (side.size > 0) return false;
  const isWell = ({ machine, connected, cut, reach }: SimEngine): boolean =>
    !connected || (!cut && hasData(machine) && ![...reach.values()].some(({ state }) => state !== 'well'));
  return [...engines.values()].every(isWell);
}

/** Whom it hears is of no matter as long as its gateways answer. */
function noteWell({ clock }: World, { plugged, reach }: SimEngine): void {
  for (const network of reach.keys()) if (!plugged.has(vnicKey(network, network))) reach.delete(network);
  if (reach.size === plugged.size) return;
  for (const network of [...plugged].map(networkOf)) {
    const well = { gateway: true, heard: [], missed: [], state: 'well', since: clock.now, mark: null } as const;
    if (!reach.has(network)) reach.set(network, well);
  }
}

/** Also those that it is cut from and has left: it keeps a vNIC there. */
function networksOf({ plugged, reach }: SimEngine): ReadonlySet<string> {
  const marked = [...reach].filter(([, { mark }]) => mark !== null).map(([network]) => network);
  return new Set([...[...plugged].map(networkOf), ...marked]);
}

export function networkOf(vnic: string): string {
  return vnic.slice(0, vnic.indexOf('/'));
}

function keep(world: World, engine: SimEngine, present: ReadonlyMap<string, readonly SimEngine[]>): KnownReach[] {
  const networks = networksOf(engine);
  for (const network of engine.reach.keys()) if (!networks.has(network)) engine.reach.delete(network);
  return [...networks].map((networkId) => {
    const before = engine.reach.get(networkId);
    const kept = look(world, engine, { before, neighbours: present.get(networkId) ?? [] });
    engine.reach.set(networkId, kept);
    return { ...kept, engineId: engine.id, engineName: engine.id, networkId };
  });
}

interface Around {
  readonly before: SimReach | undefined;
  readonly neighbours: readonly SimEngine[];
}

function look(world: World, { machine }: SimEngine, { before, neighbours }: Around): SimReach {
  const others = neighbours.filter((it) => it.machine !== machine);
  const hears = others.filter((it) => seeEachOther(world, machine, it.machine)).map(({ id }) => id);
  const isMissed = (id: string): boolean =>
    !hears.includes(id) && (before?.heard.includes(id) || before?.missed.includes(id)) === true;
  const missed = others.map(({ id }) => id).filter(isMissed);
  const hasAnswered = (before?.gateway ?? null) !== null;
  const gateway = hasData(machine) ? true : hasAnswered ? false : null;
  const state = stateOfReach({ gateway, heard: hears, missed });
  const since = before?.state === state ? before.since : world.clock.now;
  return { gateway, heard: hears, missed, state, since, mark: before?.mark ?? null };
}

/** Notes from where an engine is cut, or that it is not any more. */
export function markCut(engine: SimEngine, networkId: string, mark: SimReach['mark']): void {
  const known = engine.reach.get(networkId);
  if (known) engine.reach.set(networkId, { ...known, mark });
  engine.cut = [...engine.reach.values()].some((it) => it.mark !== null);
}

/** It is back from where nothing was known of it. */
export function forgetCuts(engine: SimEngine): void {
  for (const networkId of [...engine.reach.keys()]) markCut(engine, networkId, null);
}

export function cutFrom({ reach, cut }: SimEngine): readonly string[] {
  if (!cut) return NONE;
  return [...reach].filter(([, { mark }]) => mark !== null).map(([network]) => network);
}

const NONE: readonly string[] = [];
