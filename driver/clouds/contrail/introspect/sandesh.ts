import { XMLParser } from 'fast-xml-parser';

/**
 * Sandesh in XML, as introspect pages answer: `<Response><field><list><Struct>...`. Nothing of it is ever a document type
 * or an entity of its own: the parser knows the five of XML alone.
 */
export type Element = { readonly [name: string]: Content };
export type Content = string | Element | readonly (string | Element)[];

const parser = new XMLParser({ ignoreAttributes: true, parseTagValue: false, ignoreDeclaration: true });

/** @throws Error for what is no XML */
export function parseSandesh(text: string): Element {
  if (text.includes('<!DOCTYPE')) throw new Error('the answer is a document of another kind');
  const parsed: unknown = parser.parse(text, true);
  if (typeof parsed !== 'object' || parsed === null) throw new Error('the answer is no XML');
  return parsed as Element;
}

/** All elements of that name, however deep, in the order they come; not those within one that was found. */
export function findAll(content: Content | undefined, name: string): Element[] {
  if (content === undefined || typeof content === 'string') return [];
  if (isList(content)) return content.flatMap((one) => findAll(one, name));
  return Object.entries(content).flatMap(([key, value]) =>
    key === name ? [value].flat().filter((one): one is Element => typeof one === 'object') : findAll(value, name),
  );
}

function isList(content: Content): content is readonly (string | Element)[] {
  return Array.isArray(content);
}

/** The text of a field; empty for one that is not there. */
export function textIn(element: Element | undefined, name: string): string {
  const value = element?.[name];
  return typeof value === 'string' ? value.trim() : '';
}

/** Of a list of texts. */
export function textsIn(element: Element | undefined, name: string): readonly string[] {
  const found = element?.[name];
  if (typeof found !== 'object' || isList(found)) return [];
  const list = found['list'];
  const items = typeof list === 'object' && !isList(list) ? [list['element'] ?? []].flat() : [];
  return items.filter((one): one is string => typeof one === 'string');
}

export function numberIn(element: Element | undefined, name: string): number | null {
  const text = textIn(element, name);
  return /^-?\d+$/.test(text) ? Number(text) : null;
}
