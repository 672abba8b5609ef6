import type { components } from './schema.gen';

/** The wire's types by their name in the OpenAPI document: `Schemas['ListenerCreate']`, `Schemas['PoolView']`, ... */
export type Schemas = components['schemas'];
