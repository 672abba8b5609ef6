import { compileCheck, type Evaluate } from './compile';
import { parseCheck } from './parse';
import { type Check, type CheckSource, PolicyError } from './syntax';
import type { Attributes } from './template';

/** Rules by name, as they are written. */
export type RuleSources = Readonly<Record<string, CheckSource>>;

/** Compiled rules; nothing of it changes. */
export interface RuleSet {
  readonly names: ReadonlySet<string>;
  /** Names that rules refer to and nothing defines; such a reference denies (or asks the default rule). */
  readonly undefinedNames: ReadonlySet<string>;
  /**
   * Whether the rule grants the request. `target` is what the request is about (`project_id` of the object), the
   * credentials say who asks. A rule nobody defined is decided by the default rule, and denies where that is missing.
   */
  check(name: string, target: Attributes, credentials: Attributes): boolean;
}

/** oslo.policy's `policy_default_rule`. */
export const DEFAULT_RULE = 'default';

/**
 * Compiles rules, once for all requests; later sources override single rules of earlier ones.
 * @throws PolicyError for a rule that cannot be read, and for rules that refer to themselves
 */
export function compileRules(sources: readonly RuleSources[], defaultRule = DEFAULT_RULE): RuleSet {
  const checks = new Map<string, Check>();
  for (const [name, source] of sources.flatMap((rules) => Object.entries(rules))) checks.set(name, parse(name, source));
  const resolve = (name: string): string | undefined =>
    checks.has(name) ? name : checks.has(defaultRule) ? defaultRule : undefined;
  refuseCycles(checks, resolve);

  const compiled = new Map<string, Evaluate>();
  const compileRule = (name: string): Evaluate => {
    const known = compiled.get(name);
    if (known) return known;
    const check = checks.get(name);
    const evaluate = check ? compileCheck(check, compileReference) : () => false;
    compiled.set(name, evaluate);
    return evaluate;
  };
  const compileReference = (name: string): Evaluate => compileRule(resolve(name) ?? name);
  for (const name of checks.keys()) compileRule(name);
  const fallback = compiled.get(defaultRule) ?? (() => false);
  return {
    names: new Set(checks.keys()),
    undefinedNames: new Set([...checks.values()].flatMap(listReferences).filter((name) => !checks.has(name))),
    check: (name, target, credentials) => (compiled.get(name) ?? fallback)(target, credentials),
  };
}

function parse(name: string, source: CheckSource): Check {
  try {
    return parseCheck(source);
  } catch (err) {
    throw err instanceof PolicyError ? new PolicyError(`rule "${name}": ${err.message}`) : err;
  }
}

/** Names of the rules the check refers to. */
function listReferences(check: Check): string[] {
  switch (check.kind) {
    case 'rule':
      return [check.name];
    case 'not':
      return listReferences(check.check);
    case 'and':
    case 'or':
      return check.checks.flatMap(listReferences);
    default:
      return [];
  }
}

function refuseCycles(checks: ReadonlyMap<string, Check>, resolve: (name: string) => string | undefined): void {
  const sound = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    const start = path.indexOf(name);
    if (start >= 0) throw new PolicyError(`rules refer to each other: ${[...path.slice(start), name].join(' -> ')}`);
    const check = checks.get(name);
    if (!check || sound.has(name)) return;
    for (const reference of new Set(listReferences(check))) {
      const next = resolve(reference);
      if (next !== undefined) visit(next, [...path, name]);
    }
    sound.add(name);
  };
  for (const name of checks.keys()) visit(name, []);
}
