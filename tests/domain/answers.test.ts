import { judgeAnswers } from '../../driver/domain/answers';
import type { Placement } from '../../driver/domain/tree';
import { aPlacement } from '../support/build';

const GENERATION = 5;
const judge = (...placements: Placement[]) => judgeAnswers({ placements, generation: GENERATION });

const engine = aPlacement().engine;
const confirmed = (given: Partial<Placement> = {}) =>
  aPlacement({ wantedGeneration: 5, confirmedGeneration: 5, ...given });
const outstanding = (given: Partial<Placement> = {}) =>
  aPlacement({ wantedGeneration: 5, confirmedGeneration: 4, ...given });
const silent = () => outstanding({ stale: true, engine: { ...engine, status: 'DOWN', connected: false } });
const building = () =>
  outstanding({ confirmedGeneration: -1, engine: { ...engine, status: 'BUILDING', connected: false } });
const refused = () => confirmed({ refused: true, refusals: [{ kind: 'listener', id: 'l', reason: 'disk full' }] });
const refusal = (id: string) => ({ kind: 'listener', id, reason: `no ${id}` });

describe('judgeAnswers', () => {
  it('waits for every engine that lives', () => {
    expect(judge(confirmed(), outstanding()).kind).toBe('outstanding');
    expect(judge(refused(), outstanding()).kind).toBe('outstanding');
  });

  it('does not wait for silent engines and those still being built, as long as one has confirmed', () => {
    expect(judge(confirmed(), silent(), building())).toMatchObject({ kind: 'confirmed', refusals: [], faulty: [] });
  });

  it('is unreachable when no engine lives, or there is none', () => {
    expect(judge(silent()).kind).toBe('unreachable');
    expect(judge(building()).kind).toBe('unreachable');
    expect(judge().kind).toBe('unreachable');
  });

  it('has failed when every engine refused, and names the reason', () => {
    expect(judge(refused(), silent())).toEqual({ kind: 'refused', reason: 'disk full' });
  });

  it('takes a refusal of the load balancer itself for one of everything', () => {
    const whole = confirmed({ refusals: [{ kind: 'loadbalancer', id: 'lb', reason: 'no spec' }] });
    expect(judge(whole)).toEqual({ kind: 'refused', reason: 'no spec' });
  });

  it('blames the engine that refuses what another serves', () => {
    const bad = refused();
    expect(judge(confirmed(), bad)).toMatchObject({ kind: 'confirmed', faulty: [{ id: bad.id }] });
  });

  it('an object is refused when no engine serves it', () => {
    const both = [confirmed({ refusals: [refusal('a'), refusal('b')] }), confirmed({ refusals: [refusal('b')] })];
    expect(judge(...both)).toMatchObject({ kind: 'confirmed', refusals: [{ id: 'b', reason: 'no b' }] });
  });

  it('does not ask placements that are taken off', () => {
    expect(judge(confirmed(), outstanding({ deleting: true })).kind).toBe('confirmed');
  });

  it('an answer to an older want is none', () => {
    expect(judge(aPlacement({ wantedGeneration: 4, confirmedGeneration: 4 })).kind).toBe('outstanding');
  });
});
