import { type ApiDocument, loadDocument, resolveSchema, type Schema } from '../../api/openapi/document';
import type { Schemas } from '../../api/openapi/schemas';
import { INSERTABLE_HEADERS } from '../../api/resources/listeners/headers';
import { ListenerTlsSpec } from '../../driver/protocol/spec';

/** What each resource takes, by the names of the schemas in the OpenAPI document. */
interface Bodies {
  readonly loadbalancer: [Schemas['LoadBalancerCreate'], Schemas['LoadBalancerUpdate'], Schemas['LoadBalancerCreate']];
  readonly additional_vip: [Schemas['AdditionalVip'], never, never];
  readonly listener: [Schemas['ListenerCreate'], Schemas['ListenerUpdate'], Schemas['ListenerGraph']];
  readonly pool: [Schemas['PoolCreate'], Schemas['PoolUpdate'], Schemas['PoolGraph']];
  readonly session_persistence: [
    Schemas['SessionPersistenceCreate'],
    Schemas['SessionPersistenceUpdate'],
    Schemas['SessionPersistenceCreate'],
  ];
  readonly member: [Schemas['MemberCreate'], Schemas['MemberUpdate'], Schemas['MemberGraph']];
  readonly healthmonitor: [
    Schemas['HealthMonitorCreate'],
    Schemas['HealthMonitorUpdate'],
    Schemas['HealthMonitorGraph'],
  ];
  readonly l7policy: [Schemas['L7PolicyCreate'], Schemas['L7PolicyUpdate'], Schemas['L7PolicyGraph']];
  readonly l7rule: [Schemas['L7RuleCreate'], Schemas['L7RuleUpdate'], Schemas['L7RuleGraph']];
}

type Resource = keyof Bodies;
type Field<T> = keyof T & string;
type Text<T> = T extends string | number ? `${T}` : T extends readonly (infer U)[] ? Text<U> : never;
type Values<T, Name extends string> = {
  [K in Field<T>]: string extends Text<T[K]> ? never : `${Name}.${K}=${Text<T[K]>}`;
}[Field<T>];
type ListValue = 'tls_versions' | 'alpn_protocols' | 'insert_headers';

/**
 * One thing a user can set: a field of a request (`POST` or `PUT` of the object, `GRAPH` within a fully populated create,
 * `BATCH` within a replacement of members), a value of an enumeration, or what is asked for by a method alone.
 */
export type Setting =
  | { [R in Resource]: `POST ${R}.${Field<Bodies[R][0]>}` }[Resource]
  | { [R in Resource]: `PUT ${R}.${Field<Bodies[R][1]>}` }[Resource]
  | { [R in Resource]: `GRAPH ${R}.${Field<Bodies[R][2]>}` }[Resource]
  | { [R in Resource]: Values<Bodies[R][0], R> }[Resource]
  | `BATCH member.${Field<Schemas['MemberCreate']>}`
  | `DELETE ${Exclude<Resource, 'additional_vip' | 'session_persistence'>}`
  | `${'listener' | 'pool'}.${ListValue}=${string}`
  | 'DELETE loadbalancer?cascade'
  | 'BATCH member?additive_only';

const SCHEMAS: Readonly<Record<Resource, { post: string; put?: string; graph?: string }>> = {
  loadbalancer: { post: 'LoadBalancerCreate', put: 'LoadBalancerUpdate', graph: 'LoadBalancerCreate' },
  additional_vip: { post: 'AdditionalVip' },
  listener: { post: 'ListenerCreate', put: 'ListenerUpdate', graph: 'ListenerGraph' },
  pool: { post: 'PoolCreate', put: 'PoolUpdate', graph: 'PoolGraph' },
  session_persistence: { post: 'SessionPersistenceCreate', put: 'SessionPersistenceUpdate' },
  member: { post: 'MemberCreate', put: 'MemberUpdate', graph: 'MemberGraph' },
  healthmonitor: { post: 'HealthMonitorCreate', put: 'HealthMonitorUpdate', graph: 'HealthMonitorGraph' },
  l7policy: { post: 'L7PolicyCreate', put: 'L7PolicyUpdate', graph: 'L7PolicyGraph' },
  l7rule: { post: 'L7RuleCreate', put: 'L7RuleUpdate', graph: 'L7RuleGraph' },
};

/** Everything that the OpenAPI document lets a user set on the objects that traffic passes. */
export function settingsOfDocument(): ReadonlySet<string> {
  const document = loadDocument();
  const fieldsOf = (name: string) => Object.entries(document.components.schemas[name]?.properties ?? {});
  const found = new Set<string>();
  for (const [resource, { post, put, graph }] of Object.entries(SCHEMAS)) {
    for (const [field, schema] of fieldsOf(post)) {
      found.add(`POST ${resource}.${field}`);
      for (const value of valuesOf(document, schema)) found.add(`${resource}.${field}=${value}`);
    }
    for (const [field] of put === undefined ? [] : fieldsOf(put)) found.add(`PUT ${resource}.${field}`);
    // Plain values take the same way as with POST; what ties objects together does not.
    for (const [field, schema] of graph === undefined ? [] : fieldsOf(graph)) {
      if (holdsObjects(schema)) found.add(`GRAPH ${resource}.${field}`);
    }
  }
  for (const [field] of fieldsOf('MemberCreate')) found.add(`BATCH member.${field}`);
  for (const setting of [...listValues(), ...operations(document)]) found.add(setting);
  return found;
}

function valuesOf(document: ApiDocument, schema: Schema): unknown[] {
  const { enum: values, items } = resolveSchema(document, schema);
  return [...(values ?? []), ...(items?.enum ?? [])].filter((value) => value !== null);
}

function holdsObjects({ $ref, oneOf, items }: Schema): boolean {
  return [$ref, items?.$ref, ...(oneOf ?? []).map((one) => one.$ref)].some((ref) => ref !== undefined);
}

/** Values the document does not enumerate, because a wrong one has a text of its own. */
function listValues(): string[] {
  const versions = ListenerTlsSpec.shape.versions.element.options;
  const protocols = ListenerTlsSpec.shape.alpn.element.options;
  return [
    ...['listener', 'pool'].flatMap((resource) => [
      ...versions.map((version) => `${resource}.tls_versions=${version}`),
      ...protocols.map((protocol) => `${resource}.alpn_protocols=${protocol}`),
    ]),
    ...INSERTABLE_HEADERS.map((name) => `listener.insert_headers=${name}`),
  ];
}

const OBJECTS: Readonly<Record<string, string>> = {
  '/v2/lbaas/loadbalancers/{loadbalancer_id}': 'loadbalancer',
  '/v2/lbaas/listeners/{listener_id}': 'listener',
  '/v2/lbaas/pools/{pool_id}': 'pool',
  '/v2/lbaas/pools/{pool_id}/members/{member_id}': 'member',
  '/v2/lbaas/healthmonitors/{healthmonitor_id}': 'healthmonitor',
  '/v2/lbaas/l7policies/{l7policy_id}': 'l7policy',
  '/v2/lbaas/l7policies/{l7policy_id}/rules/{rule_id}': 'l7rule',
};

function operations(document: ApiDocument): string[] {
  const deletes = Object.entries(document.paths).flatMap(([path, methods]) => {
    const object = OBJECTS[path];
    return object !== undefined && 'delete' in methods ? [`DELETE ${object}`] : [];
  });
  return [...deletes, 'DELETE loadbalancer?cascade', 'BATCH member?additive_only'];
}
