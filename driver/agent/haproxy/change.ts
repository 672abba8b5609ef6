import type { MemberSpec } from '../../protocol/spec';
import type { Backend, Layout } from './layout';
import { renderStructure } from './render';
import { serverLine } from './server';

/** One step that the runtime socket can make. */
export interface MemberChange {
  readonly kind: 'add' | 'remove' | 'weight' | 'enabled';
  readonly backend: Backend;
  readonly member: MemberSpec;
}

/** How to get from one layout to another. */
export type Change =
  | { readonly kind: 'none' }
  | { readonly kind: 'members'; readonly steps: readonly MemberChange[] }
  | { readonly kind: 'reload' };

/**
 * Decides how a running haproxy is brought from one layout to the next: by commands if only members come, go or change
 * in weight or admin state, else by a reload.
 */
export function planChange(from: Layout, to: Layout): Change {
  if (renderStructure(from) !== renderStructure(to)) return { kind: 'reload' };
  const steps: MemberChange[] = [];
  for (const [index, backend] of to.backends.entries()) {
    const before = from.backends[index];
    const found = before === undefined ? null : planMembers(before, backend);
    if (found === null) return { kind: 'reload' };
    steps.push(...found);
  }
  return steps.length === 0 ? { kind: 'none' } : { kind: 'members', steps };
}

function planMembers(from: Backend, to: Backend): MemberChange[] | null {
  const before = new Map(from.pool.members.map((member) => [member.id, member]));
  const kept = new Set(to.pool.members.map((member) => member.id));
  const removed = from.pool.members.filter((member) => !kept.has(member.id));
  const steps: MemberChange[] = removed.map((member) => ({ kind: 'remove', backend: from, member }));
  for (const member of to.pool.members) {
    const old = before.get(member.id);
    if (old === undefined) {
      steps.push({ kind: 'add', backend: to, member });
    } else {
      if (fixedWords(from, old) !== fixedWords(to, member)) return null;
      if (old.weight !== member.weight) steps.push({ kind: 'weight', backend: to, member });
      if (old.enabled !== member.enabled) steps.push({ kind: 'enabled', backend: to, member });
    }
  }
  return steps;
}

/** What the configuration says of a server and no command can change: how it is checked, too. */
function fixedWords(backend: Backend, member: MemberSpec): string {
  return serverLine(backend, { ...member, weight: 1, enabled: true }).text;
}
