/** What a property of an object may hold. */
export type Kind =
  | { readonly is: 'any' }
  | { readonly is: 'text' }
  | { readonly is: 'boolean' }
  | { readonly is: 'integer'; readonly from?: number; readonly to?: number }
  | { readonly is: 'choice'; readonly of: readonly string[] }
  /** A structured one: a class of the API library, with its fields. */
  | { readonly is: 'struct'; readonly name: string; readonly fields: Readonly<Record<string, Kind>> }
  | { readonly is: 'list'; readonly of: Kind }
  | { readonly is: 'subnet' };

/** A property that is changed element by element: the member inside, and for maps what their keys are called. */
export interface Collection {
  readonly is: 'list' | 'map';
  readonly member: string;
}

export const ANY: Kind = { is: 'any' };
export const TEXT_KIND: Kind = { is: 'text' };
export const BOOLEAN: Kind = { is: 'boolean' };
export const INTEGER: Kind = { is: 'integer' };
export const SUBNET: Kind = { is: 'subnet' };

export function integer(from: number, to: number): Kind {
  return { is: 'integer', from, to };
}

export function choice(...of: readonly string[]): Kind {
  return { is: 'choice', of };
}

export function listKind(of: Kind): Kind {
  return { is: 'list', of };
}

export function struct(name: string, fields: Readonly<Record<string, Kind>>): Kind {
  return { is: 'struct', name, fields };
}

/** Many fields of one kind. */
export function each(kind: Kind, ...names: readonly string[]): Record<string, Kind> {
  return Object.fromEntries(names.map((name) => [name, kind]));
}
