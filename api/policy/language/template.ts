import { PolicyError, type Template } from './syntax';

const PLACEHOLDER = /%(?:\(([^()]*)\)s|(%)|)/g;

/**
 * The template of a text with Python's `%(name)s`; `%%` is a percent sign.
 * @throws PolicyError for any other use of a percent sign
 */
export function parseTemplate(text: string): Template {
  const parts: (string | { readonly name: string })[] = [];
  let from = 0;
  let fixed = '';
  for (const { 0: whole, 1: name, 2: percent, index } of text.matchAll(PLACEHOLDER)) {
    if (name === undefined && percent === undefined) {
      throw new PolicyError(`"${text}": expected %(name)s after the percent sign`);
    }
    fixed += text.slice(from, index);
    from = index + whole.length;
    if (name === undefined) {
      fixed += '%';
      continue;
    }
    if (fixed) parts.push(fixed);
    parts.push({ name });
    fixed = '';
  }
  fixed += text.slice(from);
  return fixed || parts.length === 0 ? [...parts, fixed] : parts;
}

/** Attributes by name; of a target or of credentials. */
export type Attributes = Readonly<Record<string, unknown>>;

/** A function that fills the template in from a target; undefined when the target lacks an attribute. */
export function compileTemplate(template: Template): (target: Attributes) => string | undefined {
  const [only] = template;
  if (template.length === 1 && typeof only === 'string') return () => only;
  if (template.length === 1 && typeof only === 'object') return (target) => readText(target, only.name);
  return (target) => {
    let text = '';
    for (const part of template) {
      const piece = typeof part === 'string' ? part : readText(target, part.name);
      if (piece === undefined) return undefined;
      text += piece;
    }
    return text;
  };
}

function readText(target: Attributes, name: string): string | undefined {
  return Object.hasOwn(target, name) ? textOf(target[name]) : undefined;
}

/**
 * `str(value)` of Python for what a check may compare: `True`, `False`, `None`, numbers and texts. Anything else is
 * undefined and equals nothing.
 */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value === null) return 'None';
  if (typeof value === 'number') return String(value);
  return undefined;
}
