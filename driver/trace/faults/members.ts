import type { Fault } from '../fault';
import { isDead, isDown, isOffNetwork, listed, membersSeen, subject, usedPools } from '../lookup';
import { checksOf } from './floatingIp';

/** Members, as the engines find them. */

const attracting: Fault = {
  name: 'members-down-vip-attracting',
  find: (facts) => {
    if (!isDead(facts) || isOffNetwork(facts.tree)) return [];
    const down = membersSeen(facts);
    return usedPools(facts.tree).map((pool) => ({
      subject: subject.pool(pool.id),
      what: `all members of pool ${pool.name || pool.id} are down (${listed(down.filter((it) => it.pool.id === pool.id).map(({ member }) => `${member.address}:${member.protocolPort}`))}), and the VIP goes on attracting traffic`,
      read: 'engines, by their agents',
      cause: `the members do not pass their checks: ${checksOf(facts)}`,
      cure: 'mend the members; a flavor with withdraw_vip_on_down takes the VIP off the network meanwhile',
    }));
  },
};

const memberDown: Fault = {
  name: 'member-down',
  find: (facts) =>
    membersSeen(facts)
      .filter(isDown)
      .map(({ member, pool, seen }) => ({
        subject: subject.member(member.id),
        what: `member ${member.address}:${member.protocolPort} of pool ${pool.name || pool.id} is down: ${seen[0]?.check ?? 'no check has ended'}`,
        read: 'engines, by their agents',
        cause: causeOf(seen[0]?.check ?? null),
        cure: 'mend the member',
      })),
};

function causeOf(check: string | null): string {
  if (check === null) return 'no check has ended yet';
  if (check.startsWith('L4TOUT'))
    return 'it does not answer at all: the host is away, or a security group or route is in between';
  if (check.startsWith('L4')) return 'nobody listens on its port';
  if (check.startsWith('L6')) return 'TLS with it fails';
  if (check.startsWith('L7')) return 'it answers otherwise than its health monitor expects';
  return 'it does not pass its check';
}

/** Engines that disagree: the way from one of them is broken. */
const memberPartlyDown: Fault = {
  name: 'member-down-on-one-engine',
  find: (facts) =>
    membersSeen(facts)
      .filter(
        ({ seen }) => seen.some(({ status }) => status === 'DOWN') && !seen.every(({ status }) => status === 'DOWN'),
      )
      .flatMap(({ member, seen }) =>
        seen
          .filter(({ status }) => status === 'DOWN')
          .map(({ engine, check, at }) => ({
            subject: subject.member(member.id),
            what: `member ${member.address}:${member.protocolPort} is down for engine ${engine.name} alone: ${check ?? ''}`,
            read: at,
            cause: 'the way from that engine to it is broken',
            cure: `compare routes and neighbours of engine ${engine.name} with those of another one`,
          })),
      ),
};

export const MEMBER_FAULTS: readonly Fault[] = [attracting, memberPartlyDown, memberDown];
