import { analyticsLines } from './analyticsLines';
import { diagnose } from './catalogue';
import type { TraceFacts } from './facts';
import type { Finding } from './fault';
import { type Flow, flowLines } from './flow';
import { type Line, SECTIONS } from './line';
import { memberLines } from './lines/members';
import { controlNodeLines, namespaceLines, vRouterLines } from './lines/planes';
import { type Draft, engineLines, eventLines, loadBalancerLines } from './lines/rows';
import { portLines, sessionLines, wiringLines } from './lines/wiring';

/** A load balancer's way, followed: what is wrong, the likely cause first, and everything that was looked at. */
export interface Trace {
  readonly loadBalancerId: string;
  readonly name: string;
  readonly vips: readonly string[];
  /** Nothing is wrong. */
  readonly healthy: boolean;
  readonly verdict: readonly Finding[];
  readonly lines: readonly Line[];
}

/** Judges facts and writes them down. Pure. */
export function traceOf(facts: TraceFacts, flow?: Flow): Trace {
  const verdict = diagnose(facts);
  const drafts = [
    ...loadBalancerLines(facts),
    ...engineLines(facts),
    ...portLines(facts),
    ...wiringLines(facts),
    ...sessionLines(facts),
    ...controlNodeLines(facts),
    ...vRouterLines(facts),
    ...(flow ? flowLines(facts, flow) : []),
    ...analyticsLines(facts),
    ...namespaceLines(facts),
    ...memberLines(facts),
    ...eventLines(facts),
  ];
  const { tree } = facts;
  return {
    loadBalancerId: tree.id,
    name: tree.name,
    vips: [tree.vip, ...tree.additionalVips].flatMap(({ ipAddress }) => ipAddress ?? []),
    healthy: verdict.length === 0,
    verdict,
    lines: order(drafts.map((draft) => judge(draft, verdict))),
  };
}

/** A line that a finding is about is wrong, and says by which. */
function judge(draft: Draft, verdict: readonly Finding[]): Line {
  const about = verdict.filter(({ subject }) => subject === draft.subject);
  if (draft.status === 'info' || draft.status === 'unknown') return { ...draft, status: draft.status };
  const names = [...new Set(about.map(({ fault }) => fault))];
  const text = names.length > 0 ? `${draft.text} [${names.join(', ')}]` : draft.text;
  return { ...draft, text, status: names.length > 0 ? 'wrong' : (draft.status ?? 'ok') };
}

function order(lines: readonly Line[]): readonly Line[] {
  const place = ({ section }: Line): number => SECTIONS.indexOf(section);
  return [...lines].sort((one, other) => place(one) - place(other));
}
