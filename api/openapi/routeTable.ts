import type { ApiDocument, Operation, Schema } from './document';

/** A path of the document that a request's path fits. */
export interface MatchedRoute {
  /** By HTTP method, upper case. */
  readonly operations: Readonly<Record<string, RouteOperation>>;
  readonly params: Readonly<Record<string, string>>;
  /** The document's own spelling: `/v2/lbaas/pools/{pool_id}`; a label of metrics. */
  readonly template: string;
}

export interface RouteOperation {
  readonly operationId: string;
  /** Schema of the request's body; undefined for operations that take none. */
  readonly bodySchema?: Schema;
  /** Media types it can answer with, but for JSON. */
  readonly otherTypes: readonly string[];
}

export type RouteTable = (path: string) => MatchedRoute | undefined;

interface Node {
  readonly literals: Map<string, Node>;
  parameter?: { readonly name: string; readonly node: Node };
  leaf?: { readonly template: string; readonly operations: Record<string, RouteOperation> };
}

const METHODS = ['get', 'post', 'put', 'delete'] as const;

/** Every path of the document as a tree of segments: finding one costs a look-up a segment. */
export function buildRouteTable(document: ApiDocument): RouteTable {
  const root: Node = { literals: new Map() };
  for (const [template, item] of Object.entries(document.paths)) insert(root, template, item);
  return (path) => find(root, path);
}

function insert(root: Node, template: string, item: Readonly<Record<string, unknown>>): void {
  let node = root;
  for (const segment of template.split('/').slice(1)) node = step(node, segment);
  const operations: Record<string, RouteOperation> = {};
  for (const method of METHODS) {
    const operation = item[method] as Operation | undefined;
    if (!operation) continue;
    const bodySchema = operation.requestBody?.content['application/json'].schema;
    const { operationId } = operation;
    const otherTypes = otherTypesOf(operation);
    operations[method.toUpperCase()] = { operationId, otherTypes, ...(bodySchema ? { bodySchema } : {}) };
  }
  node.leaf = { template, operations };
}

function otherTypesOf({ responses = {} }: Operation): string[] {
  const types = Object.entries(responses).flatMap(([status, { content }]) =>
    status.startsWith('2') ? Object.keys(content ?? {}) : [],
  );
  return types.filter((type) => type !== 'application/json');
}

function step(node: Node, segment: string): Node {
  const next: Node = { literals: new Map() };
  if (segment.startsWith('{')) {
    node.parameter ??= { name: segment.slice(1, -1), node: next };
    return node.parameter.node;
  }
  const known = node.literals.get(segment) ?? next;
  node.literals.set(segment, known);
  return known;
}

function find(root: Node, path: string): MatchedRoute | undefined {
  let node: Node | undefined = root;
  const params: Record<string, string> = {};
  for (const segment of path.split('/').slice(1)) {
    const literal: Node | undefined = node.literals.get(segment);
    const value: string | undefined = literal || segment === '' ? undefined : decode(segment);
    if (!literal && node.parameter && value !== undefined) params[node.parameter.name] = value;
    node = literal ?? (value === undefined ? undefined : node.parameter?.node);
    if (!node) return undefined;
  }
  return node.leaf && { ...node.leaf, params };
}

/** Undefined for what is not percent-encoded as it should be. */
function decode(segment: string): string | undefined {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
