/**
 * The rule language of oslo.policy as a tree. What operators write: `role:x`, `rule:x`, `project_id:%(project_id)s`,
 * `'literal':%(name)s`, `@`, `!`, `and`, `or`, `not`, parentheses; an empty text allows; the old form is a list (any of)
 * of lists (all of).
 */
export type Check =
  | { readonly kind: 'constant'; readonly allows: boolean }
  | { readonly kind: 'rule'; readonly name: string }
  | { readonly kind: 'role'; readonly role: Template }
  /** Octavia's own check: whether the caller is the service's administrator. */
  | { readonly kind: 'admin'; readonly expected: boolean }
  /** A credential, by its dotted path, equals the template. */
  | { readonly kind: 'credential'; readonly path: readonly string[]; readonly expected: Template }
  /** A literal, as Python writes it, equals the template. */
  | { readonly kind: 'literal'; readonly text: string; readonly expected: Template }
  | { readonly kind: 'not'; readonly check: Check }
  | { readonly kind: 'and' | 'or'; readonly checks: readonly Check[] };

/** Fixed texts and names of target attributes, by turns: `a%(b)sc` is `["a", {name: "b"}, "c"]`. */
export type Template = readonly (string | { readonly name: string })[];

/** A rule as it is written; null allows, as an empty text does. */
export type CheckSource = string | readonly (string | readonly string[])[] | null;

/** A rule, or a file of rules, that cannot be used. The message is for the operator. */
export class PolicyError extends Error {
  override get name(): string {
    return 'PolicyError';
  }
}
