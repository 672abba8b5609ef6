import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The parts of an OpenAPI 3.1 schema that this API's document uses. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  /** Of a request's root: the name Octavia's texts give the body. */
  readonly 'x-argument'?: string;
  /** Of a request's root: what is answered when its one value is null. */
  readonly 'x-null-fault'?: string;
}

export interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
  /** By status; those that are elsewhere in the document are without content here. */
  readonly responses?: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

export interface ApiDocument {
  readonly openapi: string;
  readonly tags?: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>> & {
    readonly schemas: Readonly<Record<string, Schema>>;
  };
}

/** One file a resource, each with its tags, paths, parameters and schemas; `octavia.yaml` has what they share. */
const FILES = [
  'octavia',
  'loadbalancers',
  'listeners',
  'pools',
  'members',
  'healthmonitors',
  'l7policies',
  'l7rules',
  'quotas',
  'flavors',
  'availabilityzones',
  'providers',
  'amphorae',
  'groups',
  'fleet',
  'scaling',
  'captures',
  'upgrades',
  'trace',
] as const;

let loaded: ApiDocument | undefined;

/** The OpenAPI document of this API; read once a process. */
export function loadDocument(): ApiDocument {
  loaded ??= readDocument(__dirname);
  return loaded;
}

/** The whole OpenAPI document, out of the YAML files in a directory. */
export function readDocument(directory: string): ApiDocument {
  const parts = FILES.map((name) => parse(readFileSync(join(directory, `${name}.yaml`), 'utf8')) as ApiDocument);
  return {
    ...(parts[0] as ApiDocument),
    tags: parts.flatMap((part) => part.tags ?? []),
    paths: Object.assign({}, ...parts.map((part) => part.paths)),
    components: {
      ...(parts[0] as ApiDocument).components,
      parameters: Object.assign({}, ...parts.map((part) => part.components['parameters'])),
      schemas: Object.assign({}, ...parts.map((part) => part.components.schemas)),
    },
  };
}

/** What a schema stands for, its `$ref` followed and `T or null` reduced to T. */
export function resolveSchema(document: ApiDocument, schema: Schema): Schema {
  if (schema.$ref) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
    return resolveSchema(document, document.components.schemas[name] ?? {});
  }
  const alternative = schema.oneOf?.find((one) => one.type !== 'null');
  return alternative ? resolveSchema(document, alternative) : schema;
}
