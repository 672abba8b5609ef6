import type { TraceFacts } from '../facts';
import { membersSeen, subject } from '../lookup';
import type { Draft } from './rows';

export function memberLines(facts: TraceFacts): Draft[] {
  return membersSeen(facts).map(({ pool, member, seen }) => {
    const said = seen.map(
      ({ engine, status, check }) => `${engine.name} ${status}${check === null ? '' : ` ${check}`}`,
    );
    return {
      section: 'members',
      subject: subject.member(member.id),
      status: seen.length === 0 ? ('unknown' as const) : undefined,
      text: `${member.address}:${member.protocolPort} of pool ${pool.name || pool.id}: ${said.join(', ') || 'no engine told'}`,
      read: 'engines, by their agents',
    };
  });
}
