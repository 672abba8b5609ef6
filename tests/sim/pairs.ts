import { isLive, serves } from '../../driver/domain/answers';
import { DEFAULT_MASTERSHIP, grantMastership, newMastership, nextMastership } from '../../driver/domain/mastership';
import { isLeaving } from '../../driver/domain/placementPlan';
import { SECOND } from './clock';
import { hintLoadBalancer } from './hints';
import {
  hasData,
  isHeard,
  isUp,
  type Machine,
  type Mastership,
  type SimLoadBalancer,
  type SimPlacement,
  seeEachOther,
  type World,
} from './world';

/** Pairs: what each of the two agents knows and does, and what the controllers grant. */

export function isPair({ group }: SimLoadBalancer): boolean {
  return group.properties.haMode === 'active_standby';
}

/** Machines that hold the load balancer, with what they know of who answers. */
export function machinesOf(lb: SimLoadBalancer): Machine[] {
  return lb.placements.flatMap(({ engine: { machine } }) => (machine?.held.has(lb.id) ? machine : []));
}

const SOON = 1;
const { peerTimeout, gatewayTimeout } = DEFAULT_MASTERSHIP;
const TIMES = [0, peerTimeout + SOON, gatewayTimeout + SOON, gatewayTimeout + peerTimeout];

/** To be called when what the agents of these pairs hear may have changed: they look now, and when patience ends. */
export function watchPairs(world: World, pairs: Iterable<SimLoadBalancer>): void {
  const affected = [...pairs].filter(isPair);
  if (affected.length === 0) return;
  for (const delay of TIMES) {
    world.clock.after(delay, 'pairs look at each other', () => {
      for (const lb of affected) lookAtPair(world, lb);
    });
  }
}

function lookAtPair(world: World, lb: SimLoadBalancer): void {
  const machines = machinesOf(lb);
  for (const machine of machines) {
    const known = machine.masterships.get(lb.id) ?? newcomer(world);
    machine.masterships.set(lb.id, known);
    // What could be heard at the last look was heard until now; who stood still has heard nothing.
    if (isUp(machine)) hear(world, known);
    known.hears = { peer: false, gateway: false, controller: false };
  }
  // Twice: the second one hears what the first has decided.
  for (const machine of [...machines, ...machines]) if (isUp(machine)) look(world, { lb, machine, machines });
  world.touched.loadBalancers.add(lb);
}

function newcomer({ clock }: World): Mastership {
  return { state: newMastership(clock.now), hears: { peer: false, gateway: false, controller: false } };
}

function hear({ clock }: World, known: Mastership): void {
  const { peer, gateway, controller } = known.hears;
  if (peer) known.state = { ...known.state, peerHeard: clock.now };
  if (gateway) known.state = { ...known.state, gatewayHeard: clock.now };
  if (controller) known.state = { ...known.state, controllerHeard: clock.now };
}

interface Look {
  readonly lb: SimLoadBalancer;
  readonly machine: Machine;
  readonly machines: readonly Machine[];
}

function look(world: World, { lb, machine, machines }: Look): void {
  const { clock } = world;
  const known = machine.masterships.get(lb.id);
  const engine = world.engines.get(machine.engineId);
  if (!known || !engine) return;
  const before = known.state;
  const peers = machines.flatMap((it) => {
    const state = it !== machine && seeEachOther(world, machine, it) ? it.masterships.get(lb.id)?.state : undefined;
    return state ? [{ term: state.term, master: state.role === 'master', first: it.engineId < machine.engineId }] : [];
  });
  const gateway = hasData(machine);
  const controller = isHeard(world, engine) && engine.connected;
  // While one is replaced there are three: whoever is the master has the last word.
  for (const peer of peers.sort((a, b) => Number(a.master) - Number(b.master))) {
    known.state = nextMastership(known.state, { kind: 'peer', ...peer }, clock.now);
  }
  if (gateway) known.state = nextMastership(known.state, { kind: 'gateway' }, clock.now);
  if (controller) known.state = nextMastership(known.state, { kind: 'controller' }, clock.now);
  known.state = nextMastership(known.state, { kind: 'tick' }, clock.now);
  known.hears = { peer: peers.length > 0, gateway, controller };
  if (known.state.role !== before.role && known.state.role === 'master') world.tally.takeOvers += 1;
  // Reported with the next heartbeat.
  const news = known.state.role !== before.role || known.state.term !== before.term;
  if (news && controller) hintLoadBalancer(world, lb, world.chance.between(0.1, 1) * SECOND);
}

/** The controllers' part: whom they grant mastership, by what they know. */
export function grant(world: World, lb: SimLoadBalancer): void {
  const present = lb.placements.filter(({ deleting, draining }) => !deleting && !draining);
  const staying = present.filter((it) => !isLeaving(it));
  const [preferred] = [...(staying.length > 0 ? staying : present)].sort((a, b) => (a.engineId < b.engineId ? -1 : 1));
  if (!preferred) return;
  const members = present.map((it) => {
    const live = isLive(it) && serves(it) && !isLeaving(it);
    return {
      ...{ engineId: it.engineId, primary: it.role === 'primary', live, claim: claimOf(world, it) },
      heard: isLeaving(it) ? false : heardByPeers(world, it, present),
      gateway: it.engine.connected && isHeard(world, it.engine) ? hasData(it.engine.machine) : null,
      ...{ handsOver: false, preferred: it === preferred, liveSince: live ? it.engine.since : null },
    };
  });
  const { now } = world.clock;
  const first = lb.term === 0 ? { engineId: preferred.engineId, term: 1 } : undefined;
  const given = first ?? grantMastership({ members, term: lb.term, givesBack: false }, now);
  if (!given) return;
  lb.term = given.term;
  for (const it of lb.placements) {
    if (it.deleting) continue;
    it.role = it.engineId === given.engineId ? 'primary' : 'standby';
    tellGrant(world, it);
  }
}

/** The engine is told of the grant that is in force, if it can be. */
export function tellGrant(world: World, placement: SimPlacement): void {
  const { loadBalancer: lb, engine } = placement;
  if (!isPair(lb) || lb.term === 0 || !engine.connected) return;
  world.clock.after(world.chance.between(0.05, 0.3) * SECOND, 'a grant arrives', () => {
    const known = engine.machine?.masterships.get(lb.id);
    if (!known || !isHeard(world, engine) || !engine.placements.has(placement)) return;
    const master = placement.role === 'primary';
    const before = known.state.role;
    known.state = nextMastership(known.state, { kind: 'granted', term: lb.term, master }, world.clock.now);
    if (master && before !== 'master' && lb.term > 1) world.tally.takeOvers += 1;
    lookAtPair(world, lb);
  });
}

function claimOf(world: World, { loadBalancer: lb, engine }: SimPlacement) {
  const state = engine.machine?.masterships.get(lb.id)?.state;
  if (!state || !engine.connected || !isHeard(world, engine)) return null;
  return { term: state.term, master: state.role === 'master' };
}

/** Of those that can tell the controllers what they hear. */
function heardByPeers(world: World, member: SimPlacement, all: readonly SimPlacement[]): boolean | null {
  const listeners = all.filter((it) => it !== member && it.engine.connected && isHeard(world, it.engine));
  if (listeners.length === 0) return null;
  return listeners.some(({ engine }) => seeEachOther(world, engine.machine, member.engine.machine));
}
