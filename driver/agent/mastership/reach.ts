import type { HeartbeatSpec } from '../../protocol/engineSpec';
import type { ReachReport } from '../../protocol/messages';
import type { DomainHere } from '../bgp/bgp';
import type { Gateway } from './gateways';
import type { Line } from './line';

/** What an engine has of its VIP networks, as controllers are told. */

/** A domain with what is known of its gateway (null: it has none) and of its neighbours (undefined: nobody is heard in it). */
export interface Surroundings {
  readonly domain: DomainHere;
  readonly gateway: Gateway | null;
  readonly line: Pick<Line, 'heardAt'> | undefined;
}

export function reportReach({ domain, gateway, line }: Surroundings, now: number): ReachReport {
  const { neighbours, timeout }: Pick<HeartbeatSpec, 'neighbours' | 'timeout'> = domain.spec.heartbeat ?? {
    ...{ neighbours: [], timeout: 0 },
  };
  const known = neighbours.flatMap(({ engineId }) => {
    const at = line?.heardAt(engineId);
    return at === undefined ? [] : [{ engineId, isHeard: now - at <= timeout }];
  });
  return {
    domainId: domain.spec.id,
    gateway:
      gateway === null ? null : gateway.answeredAt === null ? 'unanswered' : gateway.isSilent ? 'silent' : 'answers',
    heard: known.filter(({ isHeard }) => isHeard).map(({ engineId }) => engineId),
    missed: known.filter(({ isHeard }) => !isHeard).map(({ engineId }) => engineId),
  };
}
