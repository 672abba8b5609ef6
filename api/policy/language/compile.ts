import type { Check } from './syntax';
import { type Attributes, compileTemplate, textOf } from './template';

/** A compiled check. */
export type Evaluate = (target: Attributes, credentials: Attributes) => boolean;

/** Turns a check into a function; `compileReference` gives that of another rule. */
export function compileCheck(check: Check, compileReference: (name: string) => Evaluate): Evaluate {
  switch (check.kind) {
    case 'constant':
      return () => check.allows;
    case 'rule':
      return compileReference(check.name);
    case 'role':
      return compileRole(check);
    case 'admin':
      return (_target, credentials) => (credentials['is_admin'] === true) === check.expected;
    case 'credential':
      return compileCredential(check);
    case 'literal': {
      const expected = compileTemplate(check.expected);
      return (target) => expected(target) === check.text;
    }
    case 'not': {
      const inner = compileCheck(check.check, compileReference);
      return (target, credentials) => !inner(target, credentials);
    }
    case 'and': {
      const parts = check.checks.map((part) => compileCheck(part, compileReference));
      return (target, credentials) => parts.every((part) => part(target, credentials));
    }
    case 'or': {
      const parts = check.checks.map((part) => compileCheck(part, compileReference));
      return (target, credentials) => parts.some((part) => part(target, credentials));
    }
  }
}

/** Roles are compared without regard to case. */
function compileRole({ role }: Extract<Check, { kind: 'role' }>): Evaluate {
  const expected = compileTemplate(role);
  return (target, credentials) => {
    const name = expected(target)?.toLowerCase();
    const held = credentials['roles'];
    return name !== undefined && Array.isArray(held) && held.some((role) => String(role).toLowerCase() === name);
  };
}

function compileCredential({ path, expected }: Extract<Check, { kind: 'credential' }>): Evaluate {
  const fill = compileTemplate(expected);
  return (target, credentials) => {
    const wanted = fill(target);
    return wanted !== undefined && holds(credentials, path, wanted);
  };
}

/** Whether the value at the path, or one of the values where a list is on the way, reads as wanted. */
function holds(value: unknown, path: readonly string[], wanted: string): boolean {
  const [key, ...rest] = path;
  if (key === undefined) return textOf(value) === wanted;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
  const next = (value as Attributes)[key];
  return Array.isArray(next) ? next.some((item) => holds(item, rest, wanted)) : holds(next, rest, wanted);
}
